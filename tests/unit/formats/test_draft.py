import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import full_disk

from jde.export.writing import drafts
from jde.formats.draft import UnwritableError, replacing, write_text, writing

CONTENT = b"x" * (2 * full_disk.ROOM)


@pytest.fixture
def _full() -> Iterator[None]:
    full_disk.fill()
    yield
    full_disk.empty()


@pytest.mark.usefixtures("_full")
def test_a_full_disk_names_the_file_that_was_asked_for_and_leaves_the_old_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "asked.bin"
    path.write_bytes(b"old")
    said = rf"^{path}: can't be written \(File too large\); make room$"
    with pytest.raises(UnwritableError, match=said), replacing(path) as draft:
        draft.write_bytes(CONTENT)
    with pytest.raises(UnwritableError, match=said), drafts(tmp_path / "beside", path) as (_, last):
        last.write_bytes(CONTENT)
    with pytest.raises(UnwritableError, match=rf"^{tmp_path}/a\.txt: can't be written"):
        write_text(tmp_path / "a.txt", CONTENT.decode())
    assert {one.name for one in tmp_path.iterdir()} == {"asked.bin", "a.txt"}
    assert path.read_bytes() == b"old"


def test_a_draft_takes_the_place_of_the_file_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "asked.bin"
    with replacing(path) as draft:
        draft.write_bytes(CONTENT)
        assert not path.exists()
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_what_a_library_raises_is_told_with_its_cause_and_once() -> None:
    def fail() -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        finally:
            raise RuntimeError("unexpected position")

    with (
        pytest.raises(UnwritableError, match=r"^a: can't be written \(No space .*\); make room$"),
        writing(Path("b")),
        writing(Path("a"), RuntimeError),
    ):
        fail()


def test_a_place_that_is_forbidden_asks_for_another() -> None:
    with pytest.raises(UnwritableError, match=r"\(denied\); choose another place"), writing(Path()):
        raise PermissionError(errno.EACCES, "denied")
