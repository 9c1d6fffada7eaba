"""Arithmetic on corner boxes (x1, y1, x2, y2)."""

import numpy as np
from jaxtyping import Float


def areas(boxes: Float[np.ndarray, "n 4"], *, margin: float = 0.0) -> Float[np.ndarray, " n"]:
    """Return width times height of every box, each side longer by `margin` pixels."""
    sides = boxes[:, 2:] - boxes[:, :2] + margin
    return sides[:, 0] * sides[:, 1]


def pairwise_iou(
    first: Float[np.ndarray, "n 4"], second: Float[np.ndarray, "m 4"], *, margin: float = 0.0
) -> Float[np.ndarray, "n m"]:
    """Return intersection over union of every box in `first` with every box in `second`.

    Args:
        first: Corner boxes.
        second: Corner boxes.
        margin: Added to every side: 1 gives the convention of whole pixels that `cython_bbox` and
            with it the published JDE trackers use; 0 is the geometric overlap.
    """
    left_top = np.maximum(first[:, None, :2], second[None, :, :2])
    right_bottom = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(right_bottom - left_top + margin, 0)
    shared = sides[..., 0] * sides[..., 1]
    total = areas(first, margin=margin)[:, None] + areas(second, margin=margin)[None, :] - shared
    return np.divide(shared, total, out=np.zeros_like(shared), where=total > 0)


def corners_to_ltwh(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
    """Return left, top, width and height of corner boxes."""
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def ltwh_to_corners(boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
    """Return corner boxes of left, top, width and height."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def clip_to_image(
    boxes: Float[np.ndarray, "n 4"], size: tuple[int, int]
) -> Float[np.ndarray, "n 4"]:
    """Return the boxes cut to a picture of `size` (width, height)."""
    width, height = size
    return np.clip(boxes, 0, np.array([width, height, width, height], boxes.dtype))
