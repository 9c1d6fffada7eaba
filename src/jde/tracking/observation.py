from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from jde.structures.detections import Detections
from jde.structures.errors import InputError
from jde.tracking.scratch import Scratch

TINY = np.float32(1e-12)
"""Keeps an embedding of zeros what it is: it resembles nobody."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The detections of one frame as the tracker computes with them, one a column.

    Attributes:
        measured: Centre x, centre y, aspect and height.
        corners: Left, top, right and bottom.
        embeddings: Unit vectors, one a row.
        scores: Confidence of each.
        classes: Class of each.
    """

    measured: Float[np.ndarray, "4 m"]
    corners: Float[np.ndarray, "4 m"]
    embeddings: Float32[np.ndarray, "m dim"]
    scores: Float32[np.ndarray, " m"]
    classes: Int64[np.ndarray, " m"]

    def __len__(self) -> int:
        return len(self.scores)


def observe(
    detections: Detections, *, embedding_dim: int | None, precision: str, scratch: Scratch
) -> Observation:
    """Check detections and bring them into the tracker's form.

    Boxes without area are left out: a detector that clips at the border makes them.

    Args:
        detections: What a detector saw.
        embedding_dim: Columns that embeddings must have; None takes any.
        precision: Arithmetic of the boxes.
        scratch: Memory for the embeddings, which last until its next use.
    """
    _check_finite(detections)
    if embedding_dim is not None and len(detections):
        _check_dim(detections, embedding_dim)
    sides = detections.boxes[:, 2:] - detections.boxes[:, :2]
    if not sides.min(initial=np.inf) > 0:
        _check_order(detections)
        solid = (sides > 0).all(axis=1)
        detections, sides = detections.where(solid), sides[solid]
    corners = np.empty((4, len(sides)), precision)
    measured = np.empty_like(corners)
    corners[:2] = detections.boxes[:, :2].T
    measured[2:] = sides.T
    np.add(corners[:2], measured[2:], out=corners[2:])
    np.divide(measured[2:], 2, out=measured[:2])
    measured[:2] += corners[:2]
    measured[2] /= measured[3]
    return Observation(
        measured=measured,
        corners=corners,
        embeddings=_unit(detections.embeddings, scratch),
        scores=detections.scores,
        classes=detections.classes,
    )


def _check_finite(detections: Detections) -> None:
    boxes, scores = detections.boxes, detections.scores
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        row = _first(~(np.isfinite(boxes).all(axis=1) & np.isfinite(scores)))
        raise InputError(
            f"detection {row} holds a value that is not finite: box {boxes[row].tolist()}, "
            f"score {scores[row]}"
        )


def _check_order(detections: Detections) -> None:
    boxes = detections.boxes
    swapped = np.any(boxes[:, 2:] < boxes[:, :2], axis=1)
    if swapped.any():
        row = _first(swapped)
        raise InputError(
            f"detection {row} has the box {boxes[row].tolist()}, which ends before it begins: "
            "boxes are corners (left, top, right, bottom), not left, top, width and height"
        )


def _check_dim(detections: Detections, embedding_dim: int) -> None:
    given = detections.embeddings.shape[1]
    if given != embedding_dim:
        raise InputError(
            f"embeddings have {given} columns where the frames before had {embedding_dim}: "
            "one tracker takes the detections of one network; make a new Tracker for another"
        )


def _unit(
    embeddings: Float32[np.ndarray, "m dim"], scratch: Scratch
) -> Float32[np.ndarray, "m dim"]:
    if not embeddings.size:
        return embeddings
    length = np.sqrt(np.einsum("md,md->m", embeddings, embeddings))
    if not np.isfinite(length).all():
        row = _first(~np.isfinite(length))
        raise InputError(f"the embedding of detection {row} holds a value that is not finite")
    unit = scratch.rows("unit", *embeddings.shape)
    return np.divide(embeddings, np.maximum(length, TINY)[:, None], out=unit)


def _first(mask: Bool[np.ndarray, " n"]) -> int:
    return int(mask.argmax())
