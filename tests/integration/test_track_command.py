"""`jde track` from video to files, with people that a stub sees instead of a network."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.numbered_video import write_video
from tests.real_data import DATA, needs_data

import jde
from jde import cli
from jde.formats.mot_text import MotRows, read_mot
from jde.model.presets import find_preset
from jde.structures.detections import Detections
from jde.structures.frame import Image
from jde.video.reading import read_video


class Bystander:
    """Sees one person who stands still, in every picture."""

    input_size = (576, 320)

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        box = np.array([[10, 8, 22, 40]], np.float32)
        return [Detections(box, np.array([0.9], np.float32)) for _ in images]


class Remembered:
    """Sees what others detected in a sequence before."""

    def __init__(self, rows: MotRows) -> None:
        self._rows = rows
        self._frame = 0

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        return [self._next() for _ in images]

    def _next(self) -> Detections:
        self._frame += 1
        found = self._rows.where(self._rows.frames == self._frame)
        boxes = np.concatenate([found.ltwh[:, :2], found.ltwh[:, :2] + found.ltwh[:, 2:]], axis=1)
        return Detections(boxes.astype(np.float32), np.full(len(boxes), 0.9, np.float32))


@pytest.fixture
def bystander(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command load the stub instead of weights."""
    monkeypatch.setattr("jde.weights.loading.load_detector", lambda *_, **__: Bystander())


@pytest.mark.usefixtures("bystander")
def test_video_becomes_text_video_and_summary_and_the_command_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = write_video(tmp_path / "walk.mp4", count=15), tmp_path / "out"

    code = cli.run(["track", str(source), "--output", str(output)])

    printed = capsys.readouterr().out
    assert code == 0
    for name in ("tracks.txt", "tracked.mp4", "summary.json"):
        assert str(output / name) in printed
    assert "frames/s end to end, 1 identities" in printed
    assert printed.count("<- bottleneck") == 1
    for threads in ("= decode ", " + prepare ", "= detect ", "= track ", " + write ", " + encode "):
        assert threads in printed
    rows = (output / "tracks.txt").read_text().splitlines()
    assert len(rows) == 15
    assert rows[0] == "1,1,10.0,8.0,12.0,32.0,0.9,-1,-1,-1"
    assert len(list(read_video(output / "tracked.mp4"))) == 15


@pytest.mark.usefixtures("bystander")
def test_summary_says_what_ran_and_how_fast(tmp_path: Path) -> None:
    source = write_video(tmp_path / "walk.mp4", count=15)

    cli.run(["track", str(source), "--output", str(tmp_path / "out"), "--batch", "4"])

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["complete"] is True
    assert (summary["name"], summary["frames"], summary["identities"]) == ("walk", 15, 1)
    assert (summary["weights"], summary["network_input"]) == ("jde-nano", [576, 320])
    assert summary["files"] == ["tracks.txt", "tracked.mp4", "summary.json"]
    assert summary["frames_per_second"] == pytest.approx(15 / summary["seconds"], rel=0.05)
    stages = {"decode", "prepare", "detect", "track", "write", "draw", "encode"}
    assert set(summary["milliseconds_per_frame"]) == stages
    assert set(summary["bottleneck"].split(" + ")) < stages
    assert summary["cores_busy"] > 0
    assert {"python", "jde", "numpy", "av"} <= set(summary["versions"])


class Calibrated(Bystander):
    """Sees the same with weights that want more certainty of somebody new."""

    config = replace(find_preset("jde-nano"), start_score=0.95)


def test_the_weights_say_which_score_starts_a_track(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jde.weights.loading.load_detector", lambda *_, **__: Calibrated())
    source = str(write_video(tmp_path / "walk.mp4", count=4))

    def rows(*options: str) -> int:
        out = tmp_path / "out"
        assert cli.run(["track", source, "--output", str(out), "--no-video", *options]) == 0
        return len(read_mot(out / "tracks.txt"))

    assert rows() == 0, "the person scores 0.9"
    assert rows("--start-score", "0.85") == 4
    assert rows("--min-score", "0.5") == 4, "alone it is both"
    assert rows("--min-score", "0.5", "--start-score", "0.95") == 0
    assert rows("--profile", "zhongdao") == 3, (
        "published programs ask for 0.5 and a second sighting"
    )
    outcome = jde.track(source, Calibrated(), tmp_path / "python", video=False)
    assert outcome.run.identities == set()


@pytest.mark.usefixtures("bystander")
def test_several_sources_get_a_folder_each(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    first, second = write_video(tmp_path / "a.mp4"), write_video(tmp_path / "b" / "a.mp4")

    options = ["--output", str(tmp_path / "out"), "--no-video", "--formats", "mot,kitti,json"]
    cli.run(["track", str(first), str(second), *options])

    expected = {"tracks.txt", "tracks.kitti.txt", "tracks.jsonl", "summary.json"}
    for name in ("a", "a~2"):
        folder = tmp_path / "out" / name
        assert {path.name for path in folder.iterdir()} == expected
        # Identities begin anew with every video.
        assert set(read_mot(folder / "tracks.txt").ids.tolist()) == {1}


@pytest.mark.usefixtures("bystander")
def test_an_earlier_result_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "tracks.txt").write_text("old")
    (output / "notes.txt").write_text("mine")
    source = write_video(tmp_path / "walk.mp4", count=3)

    cli.run(["track", str(source), "--output", str(output), "--no-video"])

    assert len((output / "tracks.txt").read_text().splitlines()) == 3
    assert (output / "notes.txt").read_text() == "mine"


def test_one_call_from_python_tracks_a_video(tmp_path: Path) -> None:
    source = write_video(tmp_path / "walk.mp4", count=6)

    outcome = jde.track(source, Bystander(), tmp_path / "out", video=False)

    assert outcome.run.frames == 6
    assert outcome.run.identities == {1}
    assert [path.name for path in outcome.files] == ["tracks.txt", "summary.json"]


INTERRUPTED = """
import signal, sys, time
import jde.weights.loading
from jde import cli
from tests.integration.test_track_command import Bystander

class Slow(Bystander):
    def batch(self, images):
        time.sleep(0.05)
        return super().batch(images)

# Whoever runs the tests in the background may have told its children to ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
jde.weights.loading.load_detector = lambda *_, **__: Slow()
cli.main(["track", sys.argv[1], "--output", sys.argv[2]])
"""


@pytest.mark.skipif(os.name == "nt", reason="sends the signal that Ctrl-C sends elsewhere")
def test_ctrl_c_leaves_files_that_open_and_says_so(tmp_path: Path) -> None:
    source, output = write_video(tmp_path / "walk.mp4", count=2000), tmp_path / "out"
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(source), str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as process:
        try:
            _wait_for_rows(output / "tracks.txt", process)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "jde: interrupted"
    summary = json.loads((output / "summary.json").read_text())
    frames = len(list(read_video(output / "tracked.mp4")))
    assert summary["complete"] is False
    assert 0 < frames < 2000
    assert abs(frames - summary["frames"]) <= 1
    assert not list(output.glob(".*"))


def _wait_for_rows(path: Path, process: "subprocess.Popen[str]") -> None:
    for _ in range(600):
        if path.exists() and path.read_text().count("\n") > 5:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail("no rows were written in time")


@needs_data
def test_sequence_with_ground_truth_is_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sequence = DATA / "sequences" / "TUD-Stadtmitte-a"
    detector = Remembered(read_mot(sequence / "gt" / "gt.txt"))
    monkeypatch.setattr("jde.weights.loading.load_detector", lambda *_, **__: detector)

    code = cli.run(["track", str(sequence), "--output", str(tmp_path), "--no-video", "--evaluate"])

    table = capsys.readouterr().out
    assert code == 0
    overall = dict(zip(*(line.split() for line in _header_and_overall(table)), strict=True))
    # The detector sees exactly the truth: what is missing are first sightings of newcomers.
    assert float(overall["MOTA"]) > 90
    assert float(overall["IDF1"]) > 80
    assert read_mot(tmp_path / "tracks.txt").frames.max() == 90


def _header_and_overall(table: str) -> list[str]:
    lines = table.splitlines()
    header = next(line for line in lines if "MOTA" in line)
    overall = next(line for line in lines if line.startswith("OVERALL"))
    return [header, overall.removeprefix("OVERALL")]
