"""Trackers that users would pick instead, on the same detections as ours.

    python benchmarks/peers.py --peers norfair trackers boxmot ultralytics --people 50 200

Makes an environment for each peer in `--folder`, installs it with pip, and runs `peer_step.py`
there; what can't be installed or run is named, and an environment that has the peer stays as it is.
Ours runs before and after each peer, so that a busy moment meets both. Times are processor time of
the thread, medians. torch, where a peer needs it, is held to the version that is installed here.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path

import numpy as np

from jde.benchmarking.machine import describe_machine
from jde.benchmarking.simulated_crowd import SimulatedCrowd

STEP = Path(__file__).with_name("peer_step.py")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
BESIDES = {"ultralytics": ("lap",)}
"""Packages that a peer's trackers need and its own metadata don't name."""

INSTALL_SECONDS, RUN_SECONDS = 900, 600


def main() -> None:
    """Measure and print one line for each tracker."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", nargs="+", default=["norfair", "trackers"])
    parser.add_argument("--people", type=int, nargs="+", default=[50, 200, 500])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=Path("build/peers"))
    options = parser.parse_args()
    machine = describe_machine()
    print(f"{machine['processor']}, load {machine['load']}, numpy {version('numpy')}")
    print("people  tracker                                    ms   ours [ms]   ratio")
    with tempfile.TemporaryDirectory() as name:
        for peer in options.peers:
            python = install(peer, options.folder)
            for people in options.people if python else []:
                detections = write_detections(Path(name), people, options.frames)
                compare(peer, python, detections, people)


def install(peer: str, folder: Path) -> Path | None:
    """Return the Python of an environment that has the peer, or None with a line that says why."""
    python = folder.absolute() / peer / "bin" / "python"
    if (
        python.exists()
        and not subprocess.run(
            [str(python), "-c", f"import {peer}"], capture_output=True, check=False
        ).returncode
    ):
        return python
    venv.create(folder / peer, with_pip=True)
    held = folder.absolute() / "held.txt"
    held.write_text(f"torch=={version('torch').partition('+')[0]}\n")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(held)]
    pip += [peer, *BESIDES.get(peer, ())]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        print(f"{peer}: can't be installed: {last_line(done.stderr)}")
        return None
    return python


def write_detections(folder: Path, people: int, frames: int) -> Path:
    """Write the detections of a simulated crowd and return the file."""
    crowd = SimulatedCrowd(people, seed=people)
    seen = [crowd.next_frame() for _ in range(frames)]
    path = folder / f"{people}.npz"
    np.savez(
        path,
        counts=[len(each) for each in seen],
        boxes=np.concatenate([each.boxes for each in seen]),
        scores=np.concatenate([each.scores for each in seen]),
        embeddings=np.concatenate([each.embeddings for each in seen]),
    )
    return path


def compare(peer: str, python: Path, detections: Path, people: int) -> None:
    """Print a line for each tracker of a peer."""
    before = run(Path(sys.executable), "jde", detections)
    theirs = run(python, peer, detections)
    after = run(Path(sys.executable), "jde", detections)
    for name, milliseconds in theirs.items():
        if isinstance(milliseconds, str):
            print(f"{people:6d}  {name:<38} {milliseconds}", flush=True)
            continue
        same = "512-d" if "512-d" in name else "boxes"
        key = f"jde, {same}"
        ours = (float(before[key]) + float(after[key])) / 2
        ratio = milliseconds / ours
        row = f"{people:6d}  {name:<38} {milliseconds:6.2f}   {ours:9.2f}   {ratio:4.1f}x"
        print(row, flush=True)


def run(python: Path, peer: str, detections: Path) -> dict[str, float | str]:
    """Return the median milliseconds of each tracker of a peer, or what it failed with."""
    done = subprocess.run(
        [str(python), str(STEP), peer, str(detections)],
        capture_output=True,
        text=True,
        env=os.environ | ONE_THREAD,
        timeout=RUN_SECONDS,
        check=False,
    )
    if done.returncode:
        return {peer: f"can't be run: {last_line(done.stderr)}"}
    return json.loads(done.stdout.splitlines()[-1])


def last_line(text: str) -> str:
    """Return what an error ends with."""
    return (text.strip().splitlines() or ["no message"])[-1]


if __name__ == "__main__":
    main()
