"""Bad input gives one clear line and exit code 2, never a traceback."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.numbered_video import picture, write_video

from jde import cli
from jde.formats.mot_text import read_mot
from jde.imaging.picture_file import write_picture
from jde.structures.detections import Detections
from jde.structures.frame import Image

Printed = pytest.CaptureFixture[str]


class Bystander:
    """Sees one person in every picture."""

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        box = np.array([[10, 8, 22, 40]], np.float32)
        return [Detections(box, np.array([0.9], np.float32)) for _ in images]


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `jde track` load a stub instead of weights."""
    monkeypatch.setattr("jde.weights.loading.load_detector", lambda *_, **__: Bystander())


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run a command that must fail and return the one line that it prints."""
    code = cli.run([str(word) for word in arguments])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("jde: ")
    return line


@pytest.mark.usefixtures("stubbed")
class TestTrack:
    """What can be wrong with a video."""

    def test_missing_file(self, tmp_path: Path, capsys: Printed) -> None:
        path = tmp_path / "absent.mp4"

        line = refusal(capsys, "track", path, "--output", tmp_path / "out")

        assert line.startswith(f"jde: {path}: does not exist")

    def test_text_file_named_mp4(self, tmp_path: Path, capsys: Printed) -> None:
        path = tmp_path / "notes.mp4"
        path.write_text("no video at all\n" * 100)

        line = refusal(capsys, "track", path, "--output", tmp_path / "out")

        assert line.startswith(f"jde: {path}: is no video")

    def test_cut_off_video_is_tracked_as_far_as_it_decodes(
        self, tmp_path: Path, capsys: Printed
    ) -> None:
        whole = write_video(tmp_path / "whole.mp4", count=60, index_first=True).read_bytes()
        path, output = tmp_path / "cut.mp4", tmp_path / "out"
        path.write_bytes(whole[: len(whole) * 3 // 4])

        line = refusal(capsys, "track", path, "--output", output)

        last = int(read_mot(output / "tracks.txt").frames.max())
        assert 5 < last < 60
        assert f"{path}: is cut off or damaged: only {last} of 60 frames could be read" in line
        assert str(output) in line
        assert {"tracked.mp4", "summary.json"} <= {path.name for path in output.iterdir()}

    def test_folder_without_pictures(self, tmp_path: Path, capsys: Printed) -> None:
        (tmp_path / "empty").mkdir()

        line = refusal(capsys, "track", tmp_path / "empty", "--output", tmp_path / "out")

        assert line.startswith(f"jde: {tmp_path / 'empty'}: holds no pictures")

    def test_picture_of_another_size(self, tmp_path: Path, capsys: Printed) -> None:
        folder = tmp_path / "mixed"
        folder.mkdir()
        write_picture(folder / "1.png", picture(1))
        write_picture(folder / "2.png", picture(2, size=(32, 32)))

        line = refusal(capsys, "track", folder, "--output", tmp_path / "out")

        assert line.startswith(f"jde: {folder / '2.png'}: is 32x32")

    def test_output_folder_that_cannot_be_written(self, tmp_path: Path, capsys: Printed) -> None:
        (tmp_path / "file").write_text("in the way")
        source = write_video(tmp_path / "walk.mp4", count=2)

        line = refusal(capsys, "track", source, "--output", tmp_path / "file" / "out")

        assert line.startswith(f"jde: {tmp_path / 'file' / 'out'}: can't be written")

    def test_result_that_would_replace_its_source(self, tmp_path: Path, capsys: Printed) -> None:
        source = write_video(tmp_path / "tracked.mp4", count=2)
        before = source.read_bytes()

        line = refusal(capsys, "track", source, "--output", tmp_path)

        assert line.startswith(f"jde: {source}: the result would replace it; choose another")
        assert source.read_bytes() == before

    def test_unknown_format(self, tmp_path: Path, capsys: Printed) -> None:
        source = write_video(tmp_path / "walk.mp4", count=2)

        line = refusal(capsys, "track", source, "--formats", "mot,coco")

        assert "'coco' is unknown; use mot, kitti, json" in line
        line = refusal(capsys, "track", source, "--formats", ",")
        assert "none is named; use mot, kitti, json" in line

    def test_nothing_to_track(self, capsys: Printed) -> None:
        assert "nothing to track" in refusal(capsys, "track")

    def test_no_ground_truth_to_evaluate(self, tmp_path: Path, capsys: Printed) -> None:
        source = write_video(tmp_path / "walk.mp4", count=2)

        line = refusal(capsys, "track", source, "--evaluate")

        assert line.startswith(f"jde: {source}: has no gt/gt.txt")

    @pytest.mark.parametrize(
        ("option", "value", "reason"),
        [
            ("--batch", "0", "batch must be 1 or more"),
            ("--max-lost-seconds", "-1", "--max-lost-seconds must be 0 or more, got -1"),
            ("--min-score", "1.5", "--min-score must be from 0 to 1, got 1.5"),
            ("--start-score", "1.5", "--start-score must be from 0 to 1, got 1.5"),
            ("--start-score", "nan", "--start-score must be from 0 to 1, got nan"),
            ("--max-overlap", "-0.1", "--max-overlap must be from 0 to 1, got -0.1"),
            ("--frame-rate", "0", "--frame-rate must be above 0, got 0"),
        ],
    )
    def test_value_out_of_range(
        self, tmp_path: Path, capsys: Printed, option: str, value: str, reason: str
    ) -> None:
        source = write_video(tmp_path / "walk.mp4", count=2)

        assert reason in refusal(capsys, "track", source, option, value)


def test_size_that_is_no_multiple_of_32(tmp_path: Path, capsys: Printed) -> None:
    pytest.importorskip("torch", reason="needs a network to load")
    from jde.model.builders import build_network
    from jde.model.presets import find_preset
    from jde.weights.native import write_network

    source, weights = write_video(tmp_path / "walk.mp4", count=2), tmp_path / "w.safetensors"
    write_network(weights, build_network(find_preset("jde-nano")))

    line = refusal(
        capsys, "track", source, "--weights", weights, "--size", "500", "300", "--output", tmp_path
    )

    assert "multiples of 32" in line
    assert "500" in line
