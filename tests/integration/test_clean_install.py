"""An exported file on a machine that has our package with the extra `onnx` and no PyTorch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jde import cli
from jde.data.scenes.scene import Scene
from jde.formats.mot_text import read_mot
from jde.imaging.picture_file import write_picture

ROOT = Path(__file__).parents[2]
FRAMES = 12
SEED = 308
"""Of a street where all are seen that are about."""


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("JDE_CLEAN_VENV") != "1",
    reason="installs packages for a minute: set JDE_CLEAN_VENV=1",
)
def test_an_exported_file_tracks_in_an_environment_without_torch(tmp_path: Path) -> None:
    python, street = tmp_path / "venv" / "bin" / "python", tmp_path / "street"
    street.mkdir()
    for drawn in Scene(seed=SEED, size=(480, 288), people=6).frames(FRAMES):
        write_picture(street / f"{drawn.frame.index:06d}.png", drawn.frame.image)
    assert cli.run(["export", str(tmp_path / "street.onnx"), "--pictures", str(street)]) == 0
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    pinned = ("--constraint", ROOT / "constraints.txt")
    run(python, "-m", "pip", "install", "--quiet", *pinned, f"{ROOT}[onnx]")
    absent = "from importlib.util import find_spec; print(find_spec('torch'))"
    assert run(python, "-c", absent) == "None\n"

    network, output = tmp_path / "street.onnx", tmp_path / "out"
    run(python, "-m", "jde", "track", street, "--weights", network, "--output", output)

    rows = read_mot(output / "tracks.txt")
    assert set(rows.frames.tolist()) == set(range(1, FRAMES + 1))
    assert len(set(rows.ids.tolist())) >= 3
    assert (output / "tracked.mp4").stat().st_size > 0


def run(*words: str | Path) -> str:
    """Return what a program prints that must succeed, run away from our sources."""
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
