import cv2
import numpy as np
from jaxtyping import Float32, Int64


def suppress(
    boxes: Float32[np.ndarray, "n 4"],
    scores: Float32[np.ndarray, " n"],
    *,
    max_overlap: float,
    margin: float = 0.0,
) -> Int64[np.ndarray, " k"]:
    """Return the row numbers that non-maximum suppression keeps, best score first.

    A box goes when its overlap with a kept box of higher score is above `max_overlap`; equal scores
    keep their order.

    Args:
        boxes: Corner boxes.
        scores: Confidence of each box.
        max_overlap: Largest intersection over union of two kept boxes.
        margin: Added to every side; 1 is MindSpore's convention of whole pixels.
    """
    if not len(boxes):
        return np.zeros(0, np.int64)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2] + np.float32(margin), 0)
    rectangles = np.concatenate([boxes[:, :2], sides], axis=1)
    order = np.argsort(-scores, kind="stable")
    # The score threshold of OpenCV would drop scores of 0; everything here has passed its own.
    kept = cv2.dnn.NMSBoxes(
        rectangles[order].astype(np.float64).tolist(),
        (scores[order] + 1).tolist(),
        0.0,
        float(max_overlap),
    )
    return order[np.asarray(kept, np.int64).reshape(-1)]


def suppress_by_class(
    boxes: Float32[np.ndarray, "n 4"],
    scores: Float32[np.ndarray, " n"],
    classes: Int64[np.ndarray, " n"],
    *,
    max_overlap: float,
    margin: float = 0.0,
) -> Int64[np.ndarray, " k"]:
    """Return the row numbers that suppression among boxes of one class keeps, best score first."""
    parts = []
    for number in np.unique(classes):
        mine = np.flatnonzero(classes == number)
        kept = suppress(boxes[mine], scores[mine], max_overlap=max_overlap, margin=margin)
        parts.append(mine[kept])
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([np.zeros(0, np.int64), *parts])
    return rows[np.argsort(-scores[rows], kind="stable")]


def best_first(scores: Float32[np.ndarray, " n"], limit: int | None) -> Int64[np.ndarray, " k"]:
    """Return the row numbers of the `limit` best scores in their given order; all without limit."""
    if limit is None or len(scores) <= limit:
        return np.arange(len(scores), dtype=np.int64)
    return np.sort(np.argsort(-scores, kind="stable")[:limit]).astype(np.int64)
