"""The shipped weights over a whole video, one frame at a time and several side by side."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jde import cli
from jde.benchmarking.drawn_video import write_drawn_video
from jde.engines.parallelism import core_count
from jde.weights import loading

FRAMES = 24


@pytest.mark.skipif(core_count() == 1, reason="a single core has no second stream")
def test_frames_side_by_side_become_the_same_tracks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("openvino")
    video = tmp_path / "street.mp4"
    write_drawn_video(video, size=(320, 256), people=6, frames=FRAMES)
    side_by_side = track(video, tmp_path / "several")
    printed = capsys.readouterr().out
    monkeypatch.setattr(loading, "load_detector", with_one_stream(loading.load_detector))

    one_by_one = track(video, tmp_path / "one")

    assert side_by_side == one_by_one
    assert side_by_side.count("\n") > FRAMES, "nobody is tracked: the test says nothing"
    streams = min(4, core_count())
    assert streams_of(tmp_path / "several") == streams
    assert streams_of(tmp_path / "one") == 1
    assert f" / {streams} frames side by side" in printed
    assert "side by side" not in capsys.readouterr().out


def with_one_stream(load: Callable[..., object]) -> Callable[..., object]:
    """Return the same that ignores how many streams are asked for."""
    return lambda *names, **settings: load(*names, **{**settings, "streams": 1})


def track(video: Path, output: Path) -> str:
    """Return the text of the tracks."""
    options = ["--size", "320", "256", "--min-score", "0.02", "--device", "cpu", "--no-video"]
    assert cli.run(["track", str(video), "--output", str(output), *options]) == 0
    return (output / "tracks.txt").read_text()


def streams_of(output: Path) -> int:
    """Return what the summary says."""
    return int(json.loads((output / "summary.json").read_text())["streams"])
