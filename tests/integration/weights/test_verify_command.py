"""A published table, re-run: here a made-up one on a made-up sequence."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from jde.cli import run
from jde.imaging.picture_file import write_picture
from jde.model.builders import build_network
from jde.model.presets import compact
from jde.weights.native import write_network
from jde.weights.published_tables import find_table, published_names

COLUMNS = ("MOTA", "IDF1", "MOTP", "FP", "FN", "IDs", "Rcll")


@pytest.fixture
def sequences(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    for name in ("MOT16-90", "MOT16-91"):
        for part in ("img1", "gt"):
            (folder / name / part).mkdir(parents=True)
        for frame in range(1, 4):
            picture = np.full((96, 128, 3), 40 * frame, np.uint8)
            write_picture(folder / name / "img1" / f"{frame:06}.jpg", picture)
        rows = [f"{frame},1,10,10,20,60,1,1,1" for frame in range(1, 4)]
        (folder / name / "gt" / "gt.txt").write_text("\n".join(rows) + "\n")
        (folder / name / "seqinfo.ini").write_text(
            f"[Sequence]\nname={name}\nimDir=img1\nframeRate=30\nseqLength=3\n"
            "imWidth=128\nimHeight=96\nimExt=.jpg\n"
        )
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    write_network(path, build_network(compact("nano", (128, 96))))
    return path


def write_table(path: Path, *names: str) -> Path:
    row = dict(zip(COLUMNS, (60.5, 50.0, 0.2, 3, 1, 0, 83.3), strict=True))
    table = {
        "name": "made-up",
        "profile": "zhongdao",
        "input_size": [128, 96],
        "benchmark": "two made-up sequences",
        "origin": "this test",
        "note": "nobody published this",
        "rows": dict.fromkeys((*names, "OVERALL"), row),
    }
    path.write_text(json.dumps(table))
    return path


@pytest.mark.parametrize("names", [("MOT16-90", "MOT16-91"), ()])
def test_measured_scores_stand_beside_the_published_ones(
    tmp_path: Path,
    sequences: Path,
    weights: Path,
    names: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = write_table(tmp_path / "table.json", *names)
    words = ["verify", str(weights), "--sequences", str(sequences), "--expect", str(table)]
    assert run([*words, "--output", str(tmp_path / "out"), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "zhongdao profile" in said
    assert "nobody published this" in said
    lines = [line.split() for line in said.splitlines()]
    assert ["OVERALL", "published", "60.5", "50.0", "0.200", "3", "1", "0", "83.3"] in lines
    measured = [line for line in lines if line[:1] == ["measured"]]
    differences = [line for line in lines if line[:1] == ["difference"]]
    assert len(measured) == len(differences) == len(names) + 1
    # An untrained network finds nobody: every box of the truth is missed.
    assert measured[-1][5] == "6"
    assert differences[-1][5] == "+5"
    assert (tmp_path / "out" / "results" / "MOT16-91.txt").exists()


def test_missing_sequences_are_named(
    tmp_path: Path, sequences: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(tmp_path / "table.json", "MOT16-90", "MOT16-92")
    words = ["verify", str(weights), "--sequences", str(sequences), "--expect", str(table)]
    assert run(words) == 2
    assert "of MOT16-92" in capsys.readouterr().err


def test_every_table_of_the_package_can_be_read_and_adds_up() -> None:
    assert len(published_names()) == 11
    for name in published_names():
        table = find_table(name)
        assert table.name == name
        assert table.profile in {"zhongdao", "paddle", "mindspore"}
        overall = table.rows["OVERALL"]
        for column in ("FP", "FN", "IDs"):
            rows = [table.rows[sequence][column] for sequence in table.sequences]
            assert not rows or sum(rows) == overall[column], (name, column)


def test_a_wrong_name_gets_the_nearest(
    sequences: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["verify", str(weights), "--sequences", str(sequences)]
    assert run([*words, "--expect", "mot16-zhongdao-1088x60"]) == 2
    assert "mot16-zhongdao-1088x608" in capsys.readouterr().err
