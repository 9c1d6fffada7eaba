"""`jde prepare` and `jde doctor` as a user types them."""

import re
from pathlib import Path

import pytest
from tests.real_data import DATA, needs_data

from jde.cli import run
from jde.data.label_source import label_source

EXPECTED = {"street.train": (1187, 6420, 321), "street.val": (177, 854, 18)}
"""Pictures, boxes and identities: the sums of the table in the README of the data."""


def picture_bytes(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


@needs_data
def test_sequences_to_label_files_that_training_reads_and_the_doctor_likes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, root = DATA / "sequences", tmp_path / "root"
    before = picture_bytes(raw)
    command = ["prepare", "mot", "--from", str(raw), "--to", str(root), "--name", "street"]
    command += ["--held-out", "ETH-Sunnyday-a", "--pictures-by", "symlink"]
    assert run(command) == 0
    report = capsys.readouterr().out
    for name, (pictures, boxes, identities) in EXPECTED.items():
        assert (
            f"{root / name}\n  {pictures:,} pictures\n  {boxes:,} boxes\n"
            f"  {identities} identities\n" in report
        )
    assert run(command) == 0
    assert "1,187 pictures were there already" in capsys.readouterr().out
    assert picture_bytes(raw) == before

    source = label_source(root / "street.train")
    assert len(source) == EXPECTED["street.train"][0]
    assert source.identity_count == EXPECTED["street.train"][2] + 1, "numbers start at 1"

    doctor = ["doctor", str(root / "street.train"), "--against", str(root / "street.val")]
    assert run([*doctor, "--output", str(tmp_path / "doctor"), "--size", "576", "320"]) == 0
    report = capsys.readouterr().out
    assert re.search(r"street.train +1,187 +0 +6,420 +0 +321", report)
    assert "! 11 of 321 identities seen once" in report
    assert "also in" not in report
    assert (tmp_path / "doctor" / "report.html").stat().st_size > 10_000
    assert (tmp_path / "doctor" / "contact-sheet.png").is_file()


@needs_data
def test_pictures_to_train_and_to_evaluate_on_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequence = str(DATA / "sequences" / "MOT17-05-mini")
    command = ["doctor", sequence, "--against", sequence, "--output", str(tmp_path)]
    assert run(command) == 0
    assert f"! 6 pictures also in {sequence}" in capsys.readouterr().out


@needs_data
def test_stills_without_identities_are_fit_for_detection_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stills = DATA / "stills" / "coco-person"
    command = ["prepare", "yolo", "--from", str(stills), "--to", str(tmp_path), "--name", "stills"]
    assert run(command) == 0
    assert "134 pictures\n  604 boxes (604 without identity)" in capsys.readouterr().out
    assert run(["doctor", str(tmp_path / "stills.train"), "--output", str(tmp_path / "doc")]) == 0
    assert "! no identities at all" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["prepare", "kitti", "--from", ".", "--to", "."],
            r"no set 'kitti'; choose among: caltech",
        ),
        (
            ["prepare", "prw", "--from", "absent", "--to", "."],
            r"absent/frames: not found; expected",
        ),
        (["prepare", "mot20", "--from", ".", "--to", "root"], r"not found; expected sequence"),
        (["doctor", "absent"], r"absent: there is no such file or folder; give a list file"),
        (["doctor", "empty.train"], r"empty.train: nothing can be learned from it, it lists no"),
        (["doctor", "empty.train", "--size", "100", "100"], r"--size 100 100: both must be multip"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.train").touch()
    assert run(arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("jde: ")]
    assert len(lines) == 1
    assert re.search(message, lines[0])
