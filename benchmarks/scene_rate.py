"""How fast scenes are drawn and composed, in CPU time of one thread.

    python benchmarks/scene_rate.py [--pictures 60] [--cutouts DIR --backgrounds SEQUENCE]

CPU time is what counts where several processes load pictures; a machine with two free cores gives
twice the pictures a second.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from jde.data.mot_source import mot_source
from jde.data.sample import Source
from jde.data.scenes.composed_source import ComposedSource
from jde.data.scenes.cutouts import Cutouts
from jde.data.scenes.scene import Scene
from jde.data.scenes.source import SceneSource

SIZE = (576, 320)
DOUBLE = (1152, 640)
"""Backgrounds are decoded for windows of half their width."""


def main() -> None:
    """Print one line for each way to make pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--cutouts", type=Path)
    parser.add_argument("--backgrounds", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    report_video(options.pictures)
    report("training pictures, drawn", SceneSource(1, 10_000, SIZE), options.pictures)
    if options.cutouts and options.backgrounds:
        source = ComposedSource(
            cutouts=Cutouts.read(options.cutouts),
            backgrounds=mot_source(options.backgrounds, network=DOUBLE),
            seed=1,
            length=10_000,
            size=SIZE,
        )
        report("training pictures, composed", source, options.pictures)


def report(name: str, source: Source, pictures: int) -> None:
    """Print what one picture of a source costs."""
    rng = np.random.default_rng(0)
    source.load(0, rng)
    start, people = time.process_time(), 0
    for index in range(1, pictures + 1):
        people += len(source.load(index, rng).labels)
    print_row(name, time.process_time() - start, pictures, people)


def report_video(pictures: int) -> None:
    """Print what one frame of a drawn video costs."""
    frames = Scene(seed=1, size=SIZE, people=12).frames(pictures + 1)
    next(frames)
    start, people = time.process_time(), 0
    for drawn in frames:
        people += len(drawn.boxes)
    print_row("video, drawn", time.process_time() - start, pictures, people)


def print_row(name: str, seconds: float, pictures: int, people: int) -> None:
    """Print milliseconds, pictures a second on one and two cores, and people in a picture."""
    print(
        f"{name:<28} {1000 * seconds / pictures:6.1f} CPU-ms  {pictures / seconds:6.1f}/s a core  "
        f"{2 * pictures / seconds:6.1f}/s on two  {people / pictures:5.1f} people"
    )


if __name__ == "__main__":
    main()
