"""How well anchors fit the boxes of a data set, and better ones by k-means."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

MATCH = 0.5
"""Overlap from which the published assignment gives an anchor to a person."""
ROUNDS = 100
MAX_SAMPLES = 20_000
"""More boxes don't move the centres; they only take time."""

Sizes = Float64[np.ndarray, "_ 2"]
"""Widths and heights in pixels of the network's input."""


@dataclass(frozen=True, slots=True)
class AnchorFit:
    """How a set of anchors meets the boxes.

    Attributes:
        anchors: Widths and heights.
        mean_overlap: Mean over the boxes of the overlap with their best anchor, both centred.
        matched: Share of the boxes whose best overlap reaches the threshold of the assignment.
        shares: Share of the boxes that each anchor is the best for.
    """

    anchors: Sizes
    mean_overlap: float
    matched: float
    shares: Float64[np.ndarray, " anchors"]


def fit_of(anchors: Sizes, sizes: Sizes) -> AnchorFit:
    """Return how `anchors` meet boxes of the given sizes."""
    overlaps = shape_overlaps(sizes, anchors)
    best = overlaps.max(axis=1)
    counts = np.bincount(overlaps.argmax(axis=1), minlength=len(anchors))
    return AnchorFit(
        anchors, float(best.mean()), float((best >= MATCH).mean()), counts / len(sizes)
    )


def shape_overlaps(sizes: Sizes, anchors: Sizes) -> Float64[np.ndarray, "n k"]:
    """Return the overlap of boxes and anchors that share their centre."""
    shared = np.minimum(sizes[:, None], anchors[None]).prod(axis=2)
    total = sizes.prod(axis=1)[:, None] + anchors.prod(axis=1)[None] - shared
    return shared / total


def suggest_anchors(sizes: Sizes, count: int, seed: int = 0) -> Sizes:
    """Return anchors by k-means on the overlap, from large to small; fewer for fewer shapes."""
    rng = np.random.default_rng(seed)
    if len(sizes) > MAX_SAMPLES:
        sizes = sizes[rng.choice(len(sizes), MAX_SAMPLES, replace=False)]
    centres = _spread_out(sizes, count, rng)
    nearest = np.full(len(sizes), -1, np.int64)
    for _ in range(ROUNDS):
        previous, nearest = nearest, shape_overlaps(sizes, centres).argmax(axis=1)
        if (nearest == previous).all():
            break
        centres = _medians(sizes, nearest, centres)
    return centres[np.argsort(-centres.prod(axis=1), kind="stable")]


def _spread_out(sizes: Sizes, count: int, rng: np.random.Generator) -> Sizes:
    """Return starting centres, each drawn where the earlier ones fit badly."""
    centres = sizes[rng.integers(len(sizes))][None]
    for _ in range(count - 1):
        distance = 1 - shape_overlaps(sizes, centres).max(axis=1)
        if not distance.any():
            break
        drawn = rng.choice(len(sizes), p=distance / distance.sum())
        centres = np.concatenate([centres, sizes[drawn][None]])
    return centres


def _medians(sizes: Sizes, nearest: Int64[np.ndarray, " n"], centres: Sizes) -> Sizes:
    return np.stack(
        [
            np.median(sizes[nearest == number], axis=0) if (nearest == number).any() else centre
            for number, centre in enumerate(centres)
        ]
    )
