"""Detection as the JDE papers score it: an average precision for every picture.

A detection is right when the person it overlaps most is overlapped by more than a half and has
no better detection; a second person that would fit as well does not count. Precision over recall
is made monotone before its area is taken.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64

from jde.structures.boxes import pairwise_iou

MIN_OVERLAP = 0.5
"""A detection must overlap a person by more."""


class SeenPicture(NamedTuple):
    """What a detector found of one class in a picture, and who is there.

    Attributes:
        boxes: Found corner boxes.
        scores: Confidence of each.
        people: True corner boxes, in the same pixels.
    """

    boxes: Float32[np.ndarray, "n 4"]
    scores: Float32[np.ndarray, " n"]
    people: Float32[np.ndarray, "m 4"]


class PictureScores(NamedTuple):
    """Scores of a picture with people and detections."""

    average_precision: float
    recall: float
    precision: float


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """Sums over pictures.

    Attributes:
        pictures: Pictures seen.
        scored: Pictures with both people and detections.
        one_sided: Pictures with people or detections but not both: they score 0.
        average_precision: Sum over the scored pictures.
        recall: Sum over the scored pictures.
        precision: Sum over the scored pictures.
    """

    pictures: int = 0
    scored: int = 0
    one_sided: int = 0
    average_precision: float = 0.0
    recall: float = 0.0
    precision: float = 0.0

    def add(self, seen: SeenPicture) -> "DetectionScores":
        """Return the sums with one more picture."""
        counted = replace(self, pictures=self.pictures + 1)
        if not len(seen.people) and not len(seen.boxes):
            return counted
        if not len(seen.people) or not len(seen.boxes):
            return replace(counted, one_sided=self.one_sided + 1)
        scores = score_picture(seen)
        return replace(
            counted,
            scored=self.scored + 1,
            average_precision=self.average_precision + scores.average_precision,
            recall=self.recall + scores.recall,
            precision=self.precision + scores.precision,
        )

    def as_dict(self) -> dict[str, int | float]:
        """Return means from 0 to 1 and counts.

        P, R and mAP are what the published programs print: means over the pictures with both
        people and detections, so that a picture in which nothing is found costs nothing.
        The other three take every picture with people or detections and count such misses as 0.
        """
        everything = max(1, self.scored + self.one_sided)
        scored = max(1, self.scored)
        return {
            "pictures": self.pictures,
            "P": self.precision / scored,
            "R": self.recall / scored,
            "mAP": self.average_precision / scored,
            "P of all": self.precision / everything,
            "R of all": self.recall / everything,
            "mAP of all": self.average_precision / everything,
        }


def running_scores(pictures: Iterable[SeenPicture]) -> Iterator[DetectionScores]:
    """Yield the scores after each picture."""
    scores = DetectionScores()
    for picture in pictures:
        scores = scores.add(picture)
        yield scores


def score_picture(seen: SeenPicture) -> PictureScores:
    """Return the scores of a picture with at least one person and one detection."""
    right = find_right(seen)
    found = np.cumsum(right)
    recall = found / len(seen.people)
    precision = found / np.arange(1, len(right) + 1)
    return PictureScores(
        area_under_envelope(recall, precision), float(recall[-1]), float(precision[-1])
    )


def find_right(seen: SeenPicture) -> Bool[np.ndarray, " n"]:
    """Return which detections are right, best score first."""
    order = np.argsort(-seen.scores, kind="stable")
    overlaps = pairwise_iou(seen.boxes[order].astype(float), seen.people.astype(float))
    best = overlaps.argmax(axis=1)
    right = overlaps.max(axis=1) > MIN_OVERLAP
    candidates = np.flatnonzero(right)
    _, first = np.unique(best[candidates], return_index=True)
    taken = np.ones(len(candidates), bool)
    taken[first] = False
    right[candidates[taken]] = False
    return right


def area_under_envelope(
    recall: Float64[np.ndarray, " n"], precision: Float64[np.ndarray, " n"]
) -> float:
    """Return the area under precision over recall, each precision raised to the best after it."""
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * envelope).sum())
