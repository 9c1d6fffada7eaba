import json
from pathlib import Path

import pytest
from tests import damaged_files

from jde.structures.errors import InputError
from jde.weights import zoo
from jde.weights.download import Patience, Report
from jde.weights.input_size import size_in_name
from jde.weights.networks import find_weights
from jde.weights.zoo import ZooEntry, fetch, find_entry, mirrored, sha256, zoo_entries

ENTRY = ZooEntry(
    name="made-up", summary="", source="paddle", url="http://weights.invalid/up_864x480.pdparams"
)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answer downloads with a small checkpoint; return the addresses that were asked for."""
    asked: list[str] = []

    def download(
        url: str,
        target: Path,
        *,
        expected: int | None = None,
        report: Report | None = None,
        patience: Patience | None = None,
    ) -> None:
        del expected, patience
        asked.append(url)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(damaged_files.paddle())
        if report is not None:
            report(target.stat().st_size, None)

    monkeypatch.setattr(zoo, "download", download)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JDE_ZOO_MIRROR", raising=False)
    return asked


def test_names_are_unique_and_say_where_the_weights_come_from() -> None:
    entries = zoo_entries()
    assert len({entry.name for entry in entries}) == len(entries) >= 7
    for entry in entries:
        assert entry.source in {"jde", "zhongdao", "paddle", "darknet"}
        assert entry.url or entry.page or entry.name.startswith("jde-")


def test_the_published_weights_of_paddle_are_there_in_three_sizes() -> None:
    urls = {entry.url for entry in zoo_entries() if entry.source == "paddle"}
    folder = "https://paddledet.bj.bcebos.com/models/mot/jde_darknet53_30e"
    assert urls == {f"{folder}_{size}.pdparams" for size in ("1088x608", "864x480", "576x320")}


def test_names_of_cached_files_keep_the_size() -> None:
    for entry in zoo_entries():
        if "x" in entry.name and entry.source != "darknet":
            assert size_in_name(entry.cached) is not None, entry.name


def test_weights_are_fetched_once_and_then_taken_from_the_cache(network: list[str]) -> None:
    path = fetch(ENTRY)
    assert path == ENTRY.cached
    assert path.read_bytes() == damaged_files.paddle()
    assert json.loads(ENTRY.record.read_text())["sha256"] == sha256(path)
    assert fetch(ENTRY) == path
    assert network == [ENTRY.url]


def test_a_name_stands_for_its_file(network: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "zoo_entries", lambda: [ENTRY])
    assert find_weights("made-up") == ENTRY.cached
    assert find_weights("made-up") == ENTRY.cached
    assert len(network) == 1


def test_a_mirror_replaces_the_server(network: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JDE_ZOO_MIRROR", "http://mirror.invalid/jde/")
    fetch(ENTRY)
    assert network == ["http://mirror.invalid/jde/up_864x480.pdparams"]
    assert mirrored("https://a.invalid/b/c.pt?x=1") == "http://mirror.invalid/jde/c.pt"


def test_another_file_than_the_first_is_refused(network: list[str]) -> None:
    path = fetch(ENTRY)
    path.unlink()
    record = json.loads(ENTRY.record.read_text())
    ENTRY.record.write_text(json.dumps({**record, "sha256": "0" * 64}))
    with pytest.raises(InputError, match="on record"):
        fetch(ENTRY)
    assert not path.exists()
    assert len(network) == 2


def test_a_cached_file_of_another_length_is_named(network: list[str]) -> None:
    path = fetch(ENTRY)
    path.write_bytes(b"short")
    with pytest.raises(InputError, match="remove the file"):
        fetch(ENTRY)
    assert len(network) == 1


def test_a_cached_file_that_changed_is_named(network: list[str]) -> None:
    path = fetch(ENTRY)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="the file changed"):
        fetch(ENTRY)
    assert len(network) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"<!DOCTYPE html><html></html>", "web page"), (b"", "empty"), (b"\x80\x04}", "damaged")],
)
def test_a_download_that_is_no_weights_is_refused_and_removed(
    network: list[str], monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.setattr(damaged_files, "paddle", lambda: content)
    with pytest.raises(InputError, match=rf"up_864x480\.pdparams: .*{message}"):
        fetch(ENTRY)
    assert len(network) == 1
    assert not list(ENTRY.cached.parent.iterdir())


def test_weights_that_only_a_person_can_fetch_say_where(network: list[str]) -> None:
    entry = find_entry("zhongdao-1088x608")
    assert entry is not None
    with pytest.raises(InputError, match=r"by hand from https://drive"):
        fetch(entry)
    entry.cached.parent.mkdir(parents=True)
    entry.cached.write_bytes(damaged_files.zhongdao_archive())
    assert fetch(entry) == entry.cached
    assert not network


def test_an_unknown_name_points_to_the_list() -> None:
    with pytest.raises(InputError, match="jde zoo"):
        find_weights("jde-giant")
