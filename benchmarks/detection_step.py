"""Our detection step against the authors' way: letterbox, network, boxes, NMS, embeddings.

    python benchmarks/detection_step.py --size 1088 608 --threads 1

DarkNet-53 with random weights, batch 1. Theirs is eager PyTorch in float32 with every anchor
decoded (`published_step.py`), ours the engine that `engine="auto"` takes here, and any other that
`--engines` names, such as `openvino:int8`. All run in turn, so that a busy moment meets them all,
and so does each of our networks alone: what it takes is the processor's part, the rest is ours.
"""

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from jde.benchmarking.contestants import Wish
from jde.benchmarking.machine import describe_machine
from jde.benchmarking.random_network import random_network
from jde.benchmarking.stages import score_of_candidate
from jde.benchmarking.timing import measure_in_turn
from jde.benchmarking.weights_engines import start
from jde.data.scenes.scene import Scene
from jde.imaging.letterboxing import letterbox_image
from jde.model.detector import Detector
from jde.model.presets import darknet53
from published_step import PublishedStep

THEIRS = "authors' way"
ALONE = ", network alone"


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs=2, default=(576, 320))
    parser.add_argument("--engines", nargs="+", default=["openvino"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--candidates", type=int, default=200)
    return parser.parse_args()


def main() -> None:
    """Measure and print the table."""
    options = arguments()
    torch.set_num_threads(options.threads)
    size = (options.size[0], options.size[1])
    network = random_network(darknet53(size))
    image = next(iter(Scene(seed=1, size=(1920, 1080), people=50).frames(1))).frame.image
    fitted, _ = letterbox_image(image, size)
    wish = Wish(threads=options.threads)
    with tempfile.TemporaryDirectory() as folder:
        engines = {name: start(network, name, wish, Path(folder)) for name in options.engines}
    # Each gets the threshold that so many of its own anchors pass: random weights lie close.
    detectors = {}
    for name, engine in engines.items():
        ours = Detector(engine, network.config)
        least = score_of_candidate(engine(fitted[None]), options.candidates)
        detectors[name] = Detector(engine, ours.config, replace(ours.settings, min_score=least))
    exact = start(network, "torch", wish, Path())
    theirs = PublishedStep(network, score_of_candidate(exact(fitted[None]), options.candidates))
    steps = {THEIRS: theirs, **detectors}
    found = {name: len(step(image)) for name, step in steps.items()}
    actions = {name: lambda step=step: step(image) for name, step in steps.items()}
    for name, engine in engines.items():
        actions[f"{name}{ALONE}"] = lambda engine=engine: engine(fitted[None])
    times = measure_in_turn(actions, rounds=options.rounds, warm_up=1)
    machine = describe_machine()
    print(f"DarkNet-53 {size[0]}x{size[1]}, {options.threads} threads, load {machine['load']}")
    print(f"{machine['processor']}, {' '.join(machine['instructions'])}; {machine['versions']}")
    base = times[THEIRS]
    for name, timing in times.items():
        print(
            f"{name:<30} {timing.median:8.1f} ms ({timing.p10:.1f} to {timing.p90:.1f}), "
            f"{timing.processor:8.1f} ms of all cores: {base.median / timing.median:5.1f}x, "
            f"{base.processor / timing.processor:5.1f}x by cores"
            + (f"; {found[name]} people" if name in found else "")
        )


if __name__ == "__main__":
    main()
