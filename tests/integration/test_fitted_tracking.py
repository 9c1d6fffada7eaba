"""Videos of 4:3 and upright ones, tracked with an input of their shape."""

import json
from pathlib import Path

import numpy as np
import pytest

from jde.cli import run
from jde.data.scenes.scene import Scene
from jde.formats.mot_text import MotRows, read_mot
from jde.imaging.picture_file import write_picture

FRAMES = 12
SEED = 308


@pytest.mark.parametrize(
    ("video", "network"), [((320, 240), (192, 160)), ((240, 320), (160, 192))], ids=str
)
def test_batches_and_a_given_size_leave_the_same_tracks(
    video: tuple[int, int], network: tuple[int, int], tmp_path: Path
) -> None:
    street = tmp_path / "street"
    street.mkdir()
    for drawn in Scene(seed=SEED, size=video, people=6).frames(FRAMES):
        write_picture(street / f"{drawn.frame.index:06d}.png", drawn.frame.image)
    weights = tmp_path / "fitted.safetensors"
    wishes = ["--size", "256", "128", "--shape", "fitted", "--start-score", "0.3", "--half"]
    assert run(["convert", "jde-nano", str(weights), *wishes]) == 0
    first = tracks(street, weights, network, tmp_path / "one")
    assert len(first.frames) >= FRAMES
    for name, options in {
        "four": ["--batch", "4"],
        "exact": ["--size", *map(str, network)],
        "asked": ["--size", "256", "128", "--shape", "fitted"],
    }.items():
        rows = tracks(street, weights, network, tmp_path / name, *options)
        np.testing.assert_array_equal(rows.ids, first.ids)
        np.testing.assert_array_equal(rows.ltwh, first.ltwh)


def tracks(
    street: Path, weights: Path, network: tuple[int, int], output: Path, *options: str
) -> MotRows:
    """Track with the command, see that the summary says the input, and return the tracks."""
    common = ["--weights", str(weights), "--no-video", "--min-score", "0.3", "--threads", "1"]
    assert run(["track", str(street), "--output", str(output), *common, *options]) == 0
    summary = json.loads((output / "summary.json").read_text())
    assert summary["network_input"] == list(network)
    return read_mot(output / "tracks.txt")
