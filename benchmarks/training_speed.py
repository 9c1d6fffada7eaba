"""CPU time of a training step, pictures included: this package against the authors' plain loop.

    OMP_NUM_THREADS=1 JDE_DATA=data python benchmarks/training_speed.py --size 576 320 --batch 4
    ... --threads 2 --wall        on an idle machine: wall-clock time of several threads

The plain loop does what the authors' program does, written anew: every pixel of a picture is
decoded, brought to size and then warped a second time; pixels are floats from there on; targets
come from the overlap of all people with all anchors of a level, picture by picture; maps are in
PyTorch's default order and the loss gathers from dense masks. This package runs in 32 bits, as the
plain loop does, and in bfloat16. All have the same network, pictures, batch and optimiser; each has
a process of its own, and they take turns.
"""

import argparse
import math
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from jde.data.augmentation import Augmentation, AugmentationConfig
from jde.data.batch import Batch
from jde.data.config import DataConfig, SourceConfig, build_joint_source
from jde.data.joint import JointSource
from jde.data.loader import TrainingPictures, collate
from jde.data.sampling import Draw
from jde.losses.criterion import JDECriterion
from jde.model.builders import build_network
from jde.model.config import STRIDES, ModelConfig
from jde.model.presets import find_preset
from jde.training.config import TrainingConfig
from jde.training.freed_memory import keep_freed_memory
from jde.training.optimiser import build_optimiser
from jde.training.task import TrainingTask

PlainBatch = tuple[Tensor, list[Tensor]]
"""Float pictures and, of each, rows of identity and centre box in pixels."""

POSITIVE, IGNORED = 0.5, 0.4
"""Overlaps from which on an anchor has to find a person, and from which on it may."""

MIRRORED = 0.5
WARM_UP = 2
"""Steps of each loop that don't count: memory and threads settle."""

Times = tuple[float, float]
"""CPU seconds of loading a batch and of learning from it."""


def our_loop(
    chosen: argparse.Namespace, *, short: bool = False, keep: bool = True
) -> Iterator[Times]:
    """Yield the times of this package's steps.

    Args:
        chosen: What to measure.
        short: In bfloat16.
        keep: Keep freed memory, as `jde train` does.
    """
    if keep:
        keep_freed_memory()
    model = find_preset(chosen.model, size=tuple(chosen.size))
    sources = DataConfig(sources=find_pictures(chosen))
    source = build_joint_source(sources, model.input_size)
    pictures = TrainingPictures(source, Augmentation(AugmentationConfig(), model.input_size))
    criterion = JDECriterion(model.anchors, model.embedding_dim, source.identity_count)
    network = build_network(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if chosen.compile:
        network.compile()
    task = TrainingTask(network, criterion).train()
    optimiser = build_optimiser(task, TrainingConfig(learning_rate=1e-5))

    def load(places: list[int]) -> Batch:
        return collate([pictures[Draw(0, one)] for one in places])

    def learn(loaded: Batch) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            total = task(loaded).total
        total.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    for places in places_of_steps(len(source), chosen.batch):
        yield measure(load, learn, places, chosen.clock)


def plain_loop(chosen: argparse.Namespace) -> Iterator[Times]:
    """Yield the times of the plain loop's steps."""
    model = find_preset(chosen.model, size=tuple(chosen.size))
    sources = DataConfig(sources=find_pictures(chosen), reduced_decoding=False)
    source = build_joint_source(sources, model.input_size)
    network = build_network(model).train()
    loss = PlainLoss(model, source.identity_count)
    parameters = [*network.parameters(), *loss.parameters()]
    optimiser = torch.optim.SGD(parameters, lr=1e-5, momentum=0.9, weight_decay=1e-4)

    rng = np.random.default_rng(0)

    def load(places: list[int]) -> PlainBatch:
        return plain_batch(source, places, model.input_size, rng)

    def learn(loaded: PlainBatch) -> None:
        loss(network(loaded[0]), loaded[1]).backward()
        optimiser.step()
        optimiser.zero_grad()

    for places in places_of_steps(len(source), chosen.batch):
        yield measure(load, learn, places, chosen.clock)


def find_pictures(chosen: argparse.Namespace) -> tuple[SourceConfig]:
    """Return the sequences that both learn from."""
    folder = str(Path(os.environ.get("JDE_DATA", "../shared/data")) / "sequences")
    return (SourceConfig(kind="mot", path=folder, pattern=chosen.pattern),)


def places_of_steps(count: int, batch: int) -> Iterator[list[int]]:
    """Yield the pictures of each step, the same for both loops, without end."""
    rng = np.random.default_rng(0)
    while True:
        yield rng.integers(count, size=batch).tolist()


def measure(
    load: Callable[[list[int]], Any],
    learn: Callable[[Any], None],
    places: list[int],
    clock: Callable[[], float],
) -> Times:
    """Return the times of both halves of a step."""
    start = clock()
    loaded = load(places)
    middle = clock()
    learn(loaded)
    return middle - start, clock() - middle


def plain_batch(
    source: JointSource, places: list[int], size: tuple[int, int], rng: np.random.Generator
) -> PlainBatch:
    """Return pictures of a batch, changed."""
    images, people = [], []
    for place in places:
        sample = source.load(place, rng)
        image, boxes = plain_augment(sample.image, sample.labels.boxes.copy(), size, rng)
        images.append(np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / 255)
        centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        rows = np.concatenate([sample.labels.identities[:, None], centres, sides], axis=1)
        people.append(torch.from_numpy(rows[(sides > 1).all(axis=1)].astype(np.float32)))
    return torch.from_numpy(np.stack(images)), people


def plain_augment(
    image: np.ndarray, boxes: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return colours changed, brought to size, warped and mirrored, one after the other."""
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    for channel in (1, 2):
        values = colours[:, :, channel].astype(np.float32) * rng.uniform(0.5, 1.5)
        colours[:, :, channel] = np.clip(values, 0, 255).astype(np.uint8)
    image = cv2.cvtColor(colours, cv2.COLOR_HSV2RGB)
    (width, height), (high, wide) = size, image.shape[:2]
    ratio = min(width / wide, height / high)
    inner = (round(wide * ratio), round(high * ratio))
    left, top = (width - inner[0]) / 2, (height - inner[1]) / 2
    image = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    up, down, before, behind = (
        round(side + nudge) for side in (top, left) for nudge in (-0.1, 0.1)
    )
    image = cv2.copyMakeBorder(
        image, up, down, before, behind, cv2.BORDER_CONSTANT, value=(127.5,) * 3
    )
    boxes = boxes * ratio + np.array([left, top, left, top])
    turn = np.eye(3)
    turn[:2] = cv2.getRotationMatrix2D(
        (width / 2, height / 2), rng.uniform(-5, 5), rng.uniform(0.5, 1.2)
    )
    turn[:2, 2] += rng.uniform(-0.1, 0.1, 2) * (width, height)
    image = cv2.warpPerspective(image, turn, size, flags=cv2.INTER_LINEAR, borderValue=(127.5,) * 3)
    corners = boxes[:, [0, 1, 2, 3, 0, 3, 2, 1]].reshape(-1, 2) @ turn[:2, :2].T + turn[:2, 2]
    corners = corners.reshape(-1, 4, 2)
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    if rng.random() < MIRRORED:
        image = np.fliplr(image)
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    return image, boxes.clip(0, [width, height, width, height])


class PlainLoss(nn.Module):
    """The loss of all levels, with targets for every anchor of the grid."""

    def __init__(self, model: ModelConfig, identities: int) -> None:
        super().__init__()
        self.anchors = [torch.tensor(level) for level in model.anchors]
        self.classifier = nn.Linear(model.embedding_dim, identities)
        self.weights = nn.Parameter(torch.tensor([-4.85, -4.15, -2.3]).repeat(3, 1))
        self.scale = math.sqrt(2) * math.log(identities - 1)

    def forward(self, outputs: list[tuple[Tensor, Tensor, Tensor]], people: list[Tensor]) -> Tensor:
        """Return the loss of a batch."""
        total = torch.zeros(())
        levels = zip(outputs, self.anchors, STRIDES, self.weights, strict=True)
        for (deltas, objectness, embeddings), anchors, stride, weights in levels:
            found = [plain_targets(one, anchors / stride, stride, deltas) for one in people]
            kinds, boxes, identities = (torch.stack(part) for part in zip(*found, strict=True))
            mask = kinds > 0
            box = functional.smooth_l1_loss(deltas.permute(0, 1, 3, 4, 2)[mask], boxes[mask])
            score = functional.cross_entropy(objectness.transpose(1, 2), kinds, ignore_index=-1)
            seen, _ = mask.max(1)
            vectors = embeddings.permute(0, 2, 3, 1).contiguous()[seen]
            who = identities.amax(1)[seen]
            logits = self.classifier(self.scale * functional.normalize(vectors))
            identity = functional.cross_entropy(logits, who, ignore_index=-1)
            parts = torch.stack([box, score, identity])
            parts = torch.where(torch.isnan(parts), 0, parts)
            total = total + 0.5 * (torch.exp(-weights) * parts + weights).sum()
        return total


def plain_targets(
    people: Tensor, anchors: Tensor, stride: int, deltas: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return kind, box and identity of every anchor of a picture's level."""
    count, (height, width) = len(anchors), deltas.shape[3:]
    kinds = torch.zeros(count, height, width, dtype=torch.long)
    boxes = torch.zeros(count, height, width, 4)
    identities = torch.full((count, height, width), -1)
    if not len(people):
        return kinds, boxes, identities
    truth = people[:, 1:] / stride
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    grid = torch.stack([columns, rows]).float()[None].expand(count, 2, height, width)
    shapes = anchors[:, :, None, None].expand(count, 2, height, width)
    mesh = torch.cat([grid, shapes], dim=1).permute(0, 2, 3, 1).reshape(-1, 4)
    best, owner = dense_overlaps(mesh, truth).max(1)
    best, owner = best.view(count, height, width), owner.view(count, height, width)
    kinds[best > POSITIVE] = 1
    kinds[(best < POSITIVE) & (best > IGNORED)] = -1
    mask = best > POSITIVE
    identities[mask] = people[owner[mask], 0].long()
    mesh = mesh.view(count, height, width, 4)
    wanted = truth[owner[mask]]
    boxes[mask] = torch.cat(
        [
            (wanted[:, :2] - mesh[mask][:, :2]) / mesh[mask][:, 2:],
            torch.log(wanted[:, 2:] / mesh[mask][:, 2:]),
        ],
        dim=1,
    )
    return kinds, boxes, identities


def dense_overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Return the overlap of every centre box with every other."""
    low = torch.max(
        (first[:, :2] - first[:, 2:] / 2)[:, None], (second[:, :2] - second[:, 2:] / 2)[None]
    )
    high = torch.min(
        (first[:, :2] + first[:, 2:] / 2)[:, None], (second[:, :2] + second[:, 2:] / 2)[None]
    )
    shared = (high - low).clamp(min=0).prod(2)
    return shared / (first[:, 2:].prod(1)[:, None] + second[:, 2:].prod(1)[None] - shared + 1e-16)


NEXT, END = "next", "end"
PLAIN = "plain"
LOOPS = {
    "ours": our_loop,
    "ours, memory handed back": partial(our_loop, keep=False),
    "ours, bfloat16": partial(our_loop, short=True),
    PLAIN: plain_loop,
}


def serve(name: str, chosen: argparse.Namespace, line: Connection) -> None:
    """Take a step and send its times whenever asked."""
    torch.set_num_threads(chosen.threads)
    cv2.setNumThreads(0)
    loop = LOOPS[name](chosen)
    while line.recv() == NEXT:
        line.send(next(loop))


def take_turns(chosen: argparse.Namespace) -> dict[str, list[Times]]:
    """Return the times of both loops' steps."""
    spawning = multiprocessing.get_context("spawn")
    lines: dict[str, Connection] = {}
    for name in LOOPS:
        lines[name], far = spawning.Pipe()
        spawning.Process(target=serve, args=(name, chosen, far), daemon=True).start()
    times: dict[str, list[Times]] = {name: [] for name in LOOPS}
    for step in range(WARM_UP + chosen.steps):
        for name, line in lines.items():
            line.send(NEXT)
            taken = line.recv()
            if step >= WARM_UP:
                times[name].append(taken)
    for line in lines.values():
        line.send(END)
    return times


def read_options() -> argparse.Namespace:
    """Return what to measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, nargs=2, default=(576, 320))
    options.add_argument("--batch", type=int, default=4)
    options.add_argument("--steps", type=int, default=8)
    options.add_argument("--model", default="jde-nano")
    options.add_argument("--pattern", default="MOT17-*-mini")
    options.add_argument("--compile", action="store_true")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--wall", action="store_true")
    chosen = options.parse_args()
    chosen.clock = time.perf_counter if chosen.wall else time.process_time
    return chosen


def main() -> None:
    """Take turns and print the medians and the middle half of the steps."""
    chosen = read_options()
    kind = "wall-clock" if chosen.wall else "CPU"
    width, height = chosen.size
    print(f"{chosen.model} {width}x{height}, batch {chosen.batch}: {kind} ms a step")
    times = take_turns(chosen)
    medians = {
        name: [statistics.median(part) for part in zip(*steps, strict=True)]
        for name, steps in times.items()
    }
    for name, (load, learn) in medians.items():
        low, _, high = statistics.quantiles([sum(step) for step in times[name]], n=4)
        faster = sum(medians[PLAIN]) / (load + learn)
        print(
            f"{name:>24}: loading {load * 1e3:7.1f}, learning {learn * 1e3:7.1f}, both "
            f"{low * 1e3:.1f} to {high * 1e3:.1f}; {faster:.2f} times as fast as the plain loop "
            f"(loading {medians[PLAIN][0] / load:.2f}, learning {medians[PLAIN][1] / learn:.2f})"
        )


if __name__ == "__main__":
    main()
