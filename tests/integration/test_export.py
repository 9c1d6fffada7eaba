"""`jde export` to files that track as the weights do, and one line where it can't."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from jde import cli
from jde.commands.track import track
from jde.data.scenes.scene import Scene
from jde.formats.mot_text import MotRows, read_mot
from jde.imaging.picture_file import write_picture
from jde.weights.loading import load_detector

SIZE = (320, 192)
FRAMES = 24
SEED = 308
"""Of a street where all are seen that are about."""

Printed = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the frames of a drawn street."""
    folder = tmp_path_factory.mktemp("street")
    for drawn in Scene(seed=SEED, size=(480, 288), people=6).frames(FRAMES):
        write_picture(folder / f"{drawn.frame.index:06d}.png", drawn.frame.image)
    return folder


@pytest.fixture(scope="module")
def expected(street: Path, tmp_path_factory: pytest.TempPathFactory) -> MotRows:
    """Return the tracks of the street with the weights in PyTorch."""
    detector = load_detector("jde-nano", engine="torch", device="cpu", size=SIZE)
    output = tmp_path_factory.mktemp("torch")
    track(street, detector, output, video=False)
    return read_mot(output / "tracks.txt")


@pytest.mark.parametrize("name", ["street.onnx", "street.xml"])
def test_the_command_writes_a_file_that_tracks_as_the_weights_do(
    name: str, street: Path, expected: MotRows, tmp_path: Path, capsys: Printed
) -> None:
    path = tmp_path / name

    code = cli.run(["export", str(path), "--size", *words(SIZE), "--pictures", str(street)])

    printed = capsys.readouterr().out
    assert code == 0
    assert printed.startswith(f"{path}: nano at 320x192, maps, ")
    assert "compared with the weights on 16 pictures, scores above 0.5:" in printed
    assert "embedding cosine" in printed
    track(street, load_detector(path, precision="float32"), tmp_path, video=False)
    rows = read_mot(tmp_path / "tracks.txt")
    assert len(set(expected.ids.tolist())) >= 3
    np.testing.assert_array_equal(rows.frames, expected.frames)
    np.testing.assert_array_equal(rows.ids, expected.ids)
    np.testing.assert_allclose(rows.ltwh, expected.ltwh, atol=0.11)


def words(size: tuple[int, int]) -> list[str]:
    return [str(side) for side in size]


def refusal(capsys: Printed, arguments: Sequence[str | Path]) -> str:
    """Export what can't be exported and return the one line that is printed."""
    code = cli.run(["export", *map(str, arguments)])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_unknown_suffix(tmp_path: Path, capsys: Printed) -> None:
    line = refusal(capsys, [tmp_path / "street.pt"])

    assert line.startswith(f"jde: {tmp_path / 'street.pt'}: the name must end in .onnx or .xml or")


def test_missing_calibration_folder(tmp_path: Path, capsys: Printed) -> None:
    absent = tmp_path / "absent"

    line = refusal(capsys, [tmp_path / "street.xml", "--int8", "--calibration", absent])

    assert str(absent) in line
    assert not (tmp_path / "street.xml").exists()


def test_int8_without_calibration(tmp_path: Path, capsys: Printed) -> None:
    line = refusal(capsys, [tmp_path / "street.xml", "--int8"])

    assert line.startswith("jde: --int8 and --calibration FOLDER belong together")


def test_size_that_is_no_multiple_of_32(tmp_path: Path, capsys: Printed) -> None:
    line = refusal(capsys, [tmp_path / "street.onnx", "--size", "330", "192"])

    assert "multiples of 32" in line


def test_output_in_a_place_that_is_no_folder(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "notes").write_text("a file")

    line = refusal(capsys, [tmp_path / "notes" / "street.onnx"])

    assert f"nothing can be written in {tmp_path / 'notes'}" in line
    (tmp_path / "folder.onnx").mkdir()
    assert "is a folder" in refusal(capsys, [tmp_path / "folder.onnx"])
