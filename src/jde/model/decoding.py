"""Head maps to candidate boxes, for the anchors that pass the threshold only."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from jde.model.config import STRIDES, Anchors, LevelAnchors
from jde.model.head_maps import LevelMaps
from jde.structures.letterbox import Size

LOGIT_SLACK = 1e-3
"""The first cut is made on logits, this much too low, so that rounding can't lose a candidate."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Anchors that may hold somebody or something, in one picture.

    Attributes:
        boxes: Corner boxes in pixels of the network's input.
        scores: Probability of the class.
        classes: The most likely class of each.
        levels: Level of each anchor, from coarse to fine.
        rows: Row of its cell.
        columns: Column of its cell.
    """

    boxes: Float32[np.ndarray, "n 4"]
    scores: Float32[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"]
    levels: Int64[np.ndarray, " n"]
    rows: Int64[np.ndarray, " n"]
    columns: Int64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.boxes)

    def where(self, keep: Int64[np.ndarray, " k"]) -> "Candidates":
        """Return the candidates at the row numbers `keep`."""
        return type(self)(
            self.boxes[keep],
            self.scores[keep],
            self.classes[keep],
            self.levels[keep],
            self.rows[keep],
            self.columns[keep],
        )


def decode(
    levels: tuple[LevelMaps, ...], anchors: Anchors, picture: int, *, min_score: float
) -> Candidates:
    """Return the anchors of one picture whose score is above `min_score`.

    Their order is that of the published programs: level, anchor, row, column.
    """
    parts = [
        decode_level(level, maps, level_anchors, picture, min_score)
        for level, (maps, level_anchors) in enumerate(zip(levels, anchors, strict=True))
    ]
    return Candidates(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.levels for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.columns for part in parts]),
    )


def decode_level(
    level: int, maps: LevelMaps, anchors: LevelAnchors, picture: int, min_score: float
) -> Candidates:
    """Return the candidates of one level."""
    logits = maps.objectness[picture]
    # Beside other classes a class is less likely than beside the background alone.
    margins = logits[:, 1:].max(axis=1) - logits[:, 0]
    found = np.nonzero(margins > logit(min_score) - LOGIT_SLACK)
    classes, leads = best_class(logits[found[0], :, found[1], found[2]])
    scores = sigmoid(leads)
    passed = scores > np.float32(min_score)
    kinds, rows, columns = (axis[passed] for axis in found)
    deltas = maps.box_deltas[picture][kinds, :, rows, columns]
    sizes = np.array(anchors, np.float32)[kinds]
    return Candidates(
        decode_boxes(deltas, sizes, rows, columns, STRIDES[level]),
        scores[passed],
        classes[passed],
        np.full(len(kinds), level, np.int64),
        rows,
        columns,
    )


def best_class(
    logits: Float32[np.ndarray, "n kinds"],
) -> tuple[Int64[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """Return the most likely class of each row, and the logit of its probability.

    Args:
        logits: Of background and of each class, of which softmax makes probabilities.
    """
    classes = logits[:, 1:].argmax(axis=1)
    places = classes[:, None] + 1
    best = np.take_along_axis(logits, places, axis=1)[:, 0]
    others = logits.copy()
    np.put_along_axis(others, places, -np.inf, axis=1)
    highest = others.max(axis=1)
    rest = np.log(np.exp(others - highest[:, None]).sum(axis=1))
    return classes.astype(np.int64), best - highest - rest


def decode_boxes(
    deltas: Float32[np.ndarray, "n 4"],
    anchors: Float32[np.ndarray, "n 2"],
    rows: Int64[np.ndarray, " n"],
    columns: Int64[np.ndarray, " n"],
    stride: int,
) -> Float32[np.ndarray, "n 4"]:
    """Return corner boxes in pixels of the network's input (specification, section 4.3).

    An anchor is centred on the upper left corner of its cell, not on the cell's middle: all
    published weights were trained so.
    """
    cells = np.stack([columns, rows], axis=1).astype(np.float32)
    centres = anchors * deltas[:, :2] + cells * np.float32(stride)
    halves = anchors * np.exp(deltas[:, 2:]) / np.float32(2)
    return np.concatenate([centres - halves, centres + halves], axis=1)


def sigmoid(values: Float32[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
    """Return the logistic function: the softmax of two logits that differ by `values`."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, np.float32(1), small) / (np.float32(1) + small)


def logit(probability: float) -> float:
    """Return the inverse of `sigmoid`; infinite at 0 and 1."""
    if not 0 < probability < 1:
        return -math.inf if probability <= 0 else math.inf
    return math.log(probability / (1 - probability))


def cells_of_boxes(
    boxes: Float32[np.ndarray, "n 4"], size: Size, level: int
) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """Return row and column of the cell of a level in which each box has its centre.

    Args:
        boxes: Corner boxes in pixels of the network's input.
        size: Width and height of the network's input.
        level: Number of the level, from coarse to fine.
    """
    stride = STRIDES[level]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / stride
    last = np.array([size[0] // stride - 1, size[1] // stride - 1])
    cells = np.clip(centres, 0, last).astype(np.int64)
    return cells[:, 1], cells[:, 0]
