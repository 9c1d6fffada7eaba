"""How near an exported network stays to the one it came from, on pictures."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from scipy.optimize import linear_sum_assignment

from jde.model.post_processing import PostProcessing
from jde.structures.boxes import pairwise_iou
from jde.structures.detections import Detections
from jde.structures.frame import Image

SAME_OVERLAP = 0.5
"""Overlap from which on two boxes are taken for the same person, and compared."""

IDENTICAL_OVERLAP = 0.9
"""Overlap from which on two detections count as identical."""

BEST_CANDIDATES, BEST_DETECTIONS = 256, 50
"""What is compared where nothing passes the score threshold, as with untrained weights."""


@runtime_checkable
class Finder(Protocol):
    """A detector whose settings can be changed."""

    settings: PostProcessing

    def __call__(self, image: Image) -> Detections:
        """Return the people in a picture."""
        ...


class Pairs(NamedTuple):
    """The detections of two detectors in one picture that lie on one another.

    Attributes:
        counts: Detections of both.
        overlaps: Of the boxes of each pair.
        box_errors: Largest difference of a corner, in pixels of the picture.
        score_errors: Difference of the scores.
        cosines: Of the embeddings.
    """

    counts: tuple[int, int]
    overlaps: Float32[np.ndarray, " n"]
    box_errors: Float32[np.ndarray, " n"]
    score_errors: Float32[np.ndarray, " n"]
    cosines: Float32[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parity:
    """Differences over all pictures.

    Attributes:
        pictures: How many were looked at.
        min_score: Score that the compared detections exceed; 0 compares the best of each picture.
        pairs: Detections that both have.
        identical: Share of all detections that both have, with boxes that hardly differ.
        box_error: Mean and largest difference of a corner, in pixels of the picture.
        score_error: Mean and largest difference of a score.
        cosine: Mean and least cosine of two embeddings.
    """

    pictures: int
    min_score: float
    pairs: int
    identical: float
    box_error: tuple[float, float]
    score_error: tuple[float, float]
    cosine: tuple[float, float]

    def table(self) -> str:
        """Return the report as text."""
        which = f"scores above {self.min_score:g}"
        if not self.min_score:
            which = f"the best {BEST_DETECTIONS} of each picture, since none scores enough"
        boxes = f"mean {self.box_error[0]:.2g}, largest {self.box_error[1]:.2g}"
        scores = f"mean {self.score_error[0]:.2g}, largest {self.score_error[1]:.2g}"
        cosine = f"mean {self.cosine[0]:.6f}, least {self.cosine[1]:.6f}"
        rows = [
            f"compared with the weights on {self.pictures} pictures, {which}:",
            f"  detections of both           {self.pairs}",
            f"  identical after suppression  {100 * self.identical:.2f} %",
            f"  box error, pixels            {boxes}",
            f"  score error                  {scores}",
            f"  embedding cosine             {cosine}",
        ]
        return "\n".join(rows)


def compare(reference: Finder, exported: Finder, images: Sequence[Image]) -> Parity:
    """Return how far the detections of an exported network are from those of its origin."""
    found = list(look(reference, exported, images))
    min_score = reference.settings.min_score
    if not any(pairs.counts[0] for pairs in found):
        reference, exported = best_of(reference), best_of(exported)
        found, min_score = list(look(reference, exported, images)), 0.0
    return summarise(found, min_score)


def summarise(found: Sequence[Pairs], min_score: float) -> Parity:
    """Return the differences over all pictures, of detections that exceed a score."""
    overlaps, box_errors, score_errors, cosines = (
        np.concatenate([getattr(pairs, name) for pairs in found]) for name in Pairs._fields[1:]
    )
    total = sum(sum(pairs.counts) for pairs in found)
    return Parity(
        pictures=len(found),
        min_score=min_score,
        pairs=len(overlaps),
        identical=2 * float((overlaps >= IDENTICAL_OVERLAP).sum()) / total if total else 1.0,
        box_error=mean_and(np.max, box_errors),
        score_error=mean_and(np.max, score_errors),
        cosine=mean_and(np.min, cosines),
    )


def look(reference: Finder, exported: Finder, images: Sequence[Image]) -> Iterator[Pairs]:
    """Yield what both find in each picture."""
    for image in images:
        yield pair_up(reference(image), exported(image))


def pair_up(first: Detections, second: Detections) -> Pairs:
    """Return the detections of the same people."""
    overlaps = pairwise_iou(first.boxes, second.boxes)
    rows, columns = linear_sum_assignment(-overlaps)
    same = overlaps[rows, columns] >= SAME_OVERLAP
    rows, columns = rows[same], columns[same]
    return Pairs(
        counts=(len(first), len(second)),
        overlaps=overlaps[rows, columns],
        box_errors=np.abs(first.boxes[rows] - second.boxes[columns]).max(axis=1, initial=0),
        score_errors=np.abs(first.scores[rows] - second.scores[columns]),
        cosines=(first.embeddings[rows] * second.embeddings[columns]).sum(axis=1),
    )


def best_of(finder: Finder) -> Finder:
    """Return a detector that finds the best boxes of a picture, whatever their scores."""
    changed = copy.copy(finder)
    changed.settings = replace(
        finder.settings,
        min_score=0.0,
        max_candidates=BEST_CANDIDATES,
        max_detections=BEST_DETECTIONS,
    )
    return changed


def mean_and(
    extreme: Callable[[np.ndarray], np.floating], values: Float32[np.ndarray, " n"]
) -> tuple[float, float]:
    """Return mean and extreme of values; not a number where there are none."""
    if not len(values):
        return float("nan"), float("nan")
    return float(values.mean()), float(extreme(values))
