"""Where the appearance of a box is read: at points down its middle, between cells of a map."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from jde.model.config import STRIDES

FINEST = len(STRIDES) - 1
"""Number of the level whose map is read."""


class PointCells(NamedTuple):
    """The four cells around each point of each box, and their shares in it, which sum to 1."""

    rows: Int64[np.ndarray, "n points 4"]
    columns: Int64[np.ndarray, "n points 4"]
    shares: Float32[np.ndarray, "n points 4"]


def point_cells(
    boxes: Float32[np.ndarray, "n 4"], points: int, height: int, width: int
) -> PointCells:
    """Return where points lie that are spread evenly down the middle of boxes.

    Points beyond the map are brought to its border.

    Args:
        boxes: Corner boxes in pixels of the network's input.
        points: How many for each box.
        height: Rows of the finest map.
        width: Columns of the finest map.
    """
    steps = (np.arange(points, dtype=np.float32) + np.float32(0.5)) / np.float32(points)
    y = boxes[:, 1, None] + steps * (boxes[:, 3] - boxes[:, 1])[:, None]
    x = np.broadcast_to((boxes[:, 0] + boxes[:, 2])[:, None] / 2, y.shape)
    top, bottom, down = between(y, height)
    left, right, across = between(x, width)
    return PointCells(
        np.stack([top, top, bottom, bottom], axis=2),
        np.stack([left, right, left, right], axis=2),
        np.stack(
            [
                (1 - down) * (1 - across), (1 - down) * across,
                down * (1 - across), down * across,
            ],
            axis=2,
        ),
    )  # fmt: skip


def between(
    places: Float32[np.ndarray, "n points"], length: int
) -> tuple[
    Int64[np.ndarray, "n points"], Int64[np.ndarray, "n points"], Float32[np.ndarray, "n points"]
]:
    """Return the cells before and after places along an axis, and the share of the one after."""
    cells = np.clip(places / np.float32(STRIDES[FINEST]) - np.float32(0.5), 0, length - 1)
    before = cells.astype(np.int64)
    return before, np.minimum(before + 1, length - 1), cells - before.astype(np.float32)


def blend(
    found: Float32[np.ndarray, "n points 4 c"], shares: Float32[np.ndarray, "n points 4"]
) -> Float32[np.ndarray, "n points c"]:
    """Return what points read of the four cells around them."""
    return (shares[:, :, None] @ found)[:, :, 0]
