"""HOTA: detection and association in equal parts, over nineteen limits of overlap."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.optimize import linear_sum_assignment

from jde.metrics.comparison import Comparison
from jde.metrics.matching import TOLERANCE

LIMITS = np.arange(0.05, 0.99, 0.05)
"""Least overlaps of a pair; the score is the mean over them."""

PerLimit = Float64[np.ndarray, " limits"]


@dataclass(frozen=True, slots=True)
class HotaCounts:
    """Counts for every limit of overlap; they add up over sequences.

    Attributes:
        found: True boxes with a reported one.
        missed: True boxes without.
        false_alarms: Reported boxes without a true one.
        association: Sum of the association scores of found boxes.
        overlap: Sum of the overlaps of found boxes.
    """

    found: PerLimit
    missed: PerLimit
    false_alarms: PerLimit
    association: PerLimit
    overlap: PerLimit

    def __add__(self, other: "HotaCounts") -> "HotaCounts":
        return type(self)(
            self.found + other.found,
            self.missed + other.missed,
            self.false_alarms + other.false_alarms,
            self.association + other.association,
            self.overlap + other.overlap,
        )

    @classmethod
    def zero(cls) -> "HotaCounts":
        """Return the counts of no sequence."""
        return cls(*(np.zeros(len(LIMITS)) for _ in range(5)))

    @property
    def detection(self) -> PerLimit:
        """DetA for every limit."""
        return self.found / np.maximum(1, self.found + self.missed + self.false_alarms)

    @property
    def mean_association(self) -> PerLimit:
        """AssA for every limit."""
        return self.association / np.maximum(1, self.found)

    @property
    def localisation(self) -> PerLimit:
        """LocA for every limit: mean overlap, 1 where nothing is found."""
        return np.where(self.found > 0, self.overlap / np.maximum(1, self.found), 1.0)

    @property
    def hota(self) -> PerLimit:
        """HOTA for every limit."""
        return np.sqrt(self.detection * self.mean_association)


def count_hota(comparison: Comparison) -> HotaCounts:
    """Return the HOTA counts of a sequence."""
    people, tracks, overlaps = _match_sequence(comparison)
    found, association, overlap = (np.zeros(len(LIMITS)) for _ in range(3))
    for index, limit in enumerate(LIMITS):
        kept = overlaps >= limit - TOLERANCE
        found[index] = kept.sum()
        overlap[index] = overlaps[kept].sum()
        association[index] = _association(comparison, people[kept], tracks[kept])
    return HotaCounts(
        found=found,
        missed=comparison.person_boxes.sum() - found,
        false_alarms=comparison.track_boxes.sum() - found,
        association=association,
        overlap=overlap,
    )


def _match_sequence(
    comparison: Comparison,
) -> tuple[Int64[np.ndarray, " k"], Int64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """Return person, track and overlap of all pairs, chosen for long common histories."""
    alignment = _alignment(comparison)
    people, tracks, overlaps = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for frame in comparison.frames:
        scores = alignment[np.ix_(frame.people, frame.tracks)] * frame.overlaps
        rows, columns = linear_sum_assignment(-scores)
        people.append(frame.people[rows])
        tracks.append(frame.tracks[columns])
        overlaps.append(frame.overlaps[rows, columns])
    return np.concatenate(people), np.concatenate(tracks), np.concatenate(overlaps)


def _alignment(comparison: Comparison) -> Float64[np.ndarray, "people tracks"]:
    """Return the share of their boxes that each person and track have in common."""
    common = np.zeros((len(comparison.person_boxes), len(comparison.track_boxes)))
    for frame in comparison.frames:
        overlaps = frame.overlaps
        total = overlaps.sum(axis=0)[None, :] + overlaps.sum(axis=1)[:, None] - overlaps
        # A pair counts less where others overlap with either of the two.
        shares = np.divide(overlaps, total, out=np.zeros_like(overlaps), where=total > TOLERANCE)
        common[np.ix_(frame.people, frame.tracks)] += shares
    return common / (comparison.person_boxes[:, None] + comparison.track_boxes - common)


def _association(
    comparison: Comparison, people: Int64[np.ndarray, " k"], tracks: Int64[np.ndarray, " k"]
) -> float:
    """Return the sum over pairs of the share of boxes that person and track have together."""
    width = max(1, len(comparison.track_boxes))
    pairs, counts = np.unique(people * width + tracks, return_counts=True)
    person, track = np.divmod(pairs, width)
    union = comparison.person_boxes[person] + comparison.track_boxes[track] - counts
    return float((counts * (counts / union)).sum())
