"""Whether a second class is learned beside people: trains on figures of two colours, counts both.

    OMP_NUM_THREADS=1 python benchmarks/two_classes.py

Starts from jde-nano, which knows people alone, and takes half a minute of one core. Prints the AP
of each class on the training pictures, and how many figures were found as which class: the question
is whether classes are told apart, not how well a network sees what it never saw.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from jde.commands.train import train
from jde.config import RunConfig, load_config
from jde.data.class_column import ClassColumn
from jde.data.joint import JointSource
from jde.data.label_source import label_source
from jde.engines.torch_engine import TorchEngine
from jde.imaging.picture_file import write_picture
from jde.metrics.score_table import render_table
from jde.model.detector import Detector
from jde.structures.boxes import pairwise_iou
from jde.training.judge import Judge
from jde.training.labelled_pictures import all_samples
from jde.weights.networks import load_network

SIZE = (96, 64)
WIDE, TALL, TOP = 12, 32, 18
PICTURES = 24
COLOURS = {0: (230, 60, 40), 1: (40, 80, 230)}
"""What the first class wears, and what the second."""
NAMES = ("person", "robot")
MIN_OVERLAP = 0.5

CONFIG = """
model: {preset: jde-nano, input_size: [96, 64], classes: [person, robot]}
data:
  sources: [{path: FOLDER}]
  workers: 0
  augmentation: {degrees: 0, shear: 0, scale: [1, 1], translation: 0.05}
loss: {uncertainties: [0, -3, 0]}
training:
  initialise: jde-nano
  epochs: 60
  batch_size: 8
  optimiser: adamw
  learning_rate: 0.004
  milestones: [0.5]
  trackers: []
  device: cpu
evaluation: {pictures: [FOLDER], every: 100, metric: ap}
output: OUTPUT
"""


def draw(rng: np.random.Generator, places: dict[int, int]) -> np.ndarray:
    """Return noise with a figure of each class whose left edge lies at its place."""
    image = rng.integers(90, 140, (SIZE[1], SIZE[0], 3), np.uint8)
    for kind, left in places.items():
        right, bottom = left + WIDE - 1, TOP + TALL - 1
        cv2.rectangle(image, (left, TOP), (right, bottom), COLOURS[kind], cv2.FILLED)
        cv2.circle(image, (left + WIDE // 2, TOP + 6), 4, (220, 190, 160), cv2.FILLED)
    return image


def make_set(folder: Path) -> None:
    """Write the pictures and their labels."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels_with_ids"):
        (folder / name).mkdir(parents=True)
    for number in range(PICTURES):
        left = int(rng.integers(2, 30))
        places = {number % 2: left, 1 - number % 2: left + int(rng.integers(20, 50))}
        write_picture(folder / "images" / f"{number:02d}.png", draw(rng, places))
        labels = [
            f"{kind} {kind} {(x + WIDE / 2) / SIZE[0]} {(TOP + TALL / 2) / SIZE[1]} "
            f"{WIDE / SIZE[0]} {TALL / SIZE[1]}\n"
            for kind, x in places.items()
        ]
        (folder / "labels_with_ids" / f"{number:02d}.txt").write_text("".join(labels))


def describe(config: RunConfig, weights: Path, folder: Path) -> str:
    """Return the AP of each class and the found classes of each true one."""
    network = load_network(weights)
    judge = Judge.open(config.evaluation, config.tracker, SIZE, "cpu", classes=len(NAMES))
    scores = judge.score(network)
    detector = Detector(TorchEngine(network, device="cpu"), network.config)
    source = JointSource([label_source(folder, column=ClassColumn(len(NAMES)))])
    found_as = np.zeros((len(NAMES), len(NAMES)), int)
    for sample in all_samples(source):
        seen = detector(sample.image)
        overlaps = pairwise_iou(sample.labels.boxes, seen.boxes)
        for true, reported in np.argwhere(overlaps > MIN_OVERLAP):
            found_as[sample.labels.classes[true], seen.classes[reported]] += 1
    rows: dict[str, dict[str, int | float]] = {}
    for name, counts in zip(NAMES, found_as.tolist(), strict=True):
        found = {f"found as {other}": count for other, count in zip(NAMES, counts, strict=True)}
        rows[name] = {"AP": scores[f"AP {name}"], **found}
    return render_table(rows)


def main() -> None:
    """Make the set, train, and print what is found."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_set(folder / "set")
        text = CONFIG.replace("FOLDER", str(folder / "set")).replace("OUTPUT", str(folder / "run"))
        (folder / "run.yaml").write_text(text)
        config = load_config(folder / "run.yaml")
        weights = train(config).weights
        assert weights is not None
        print(describe(config, weights, folder / "set"))


if __name__ == "__main__":
    main()
