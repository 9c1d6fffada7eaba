"""CLEAR as MOTChallenge's official evaluator counts it."""

from dataclasses import astuple, dataclass

import numpy as np
from jaxtyping import Float64, Int64

from jde.metrics.comparison import Comparison, FramePair
from jde.metrics.matching import MIN_OVERLAP, TOLERANCE, Pairs, match_best_total

MOSTLY_TRACKED, MOSTLY_LOST = 0.8, 0.2
"""Shares of a person's boxes that are found."""

LOYALTY = 1000.0
"""Added to the score of last frame's pair: keeping it outweighs any overlap."""

NOBODY = -1


@dataclass(frozen=True, slots=True)
class ClearCounts:
    """Counts that add up over sequences.

    Attributes:
        found: True boxes with a reported one.
        missed: True boxes without.
        false_alarms: Reported boxes without a true one.
        switches: Times that a person's track changes.
        fragmentations: Times that a person is found again after not being found.
        mostly_tracked: People found in most of their boxes.
        partially_tracked: People between mostly tracked and mostly lost.
        mostly_lost: People hardly found.
        overlap: Sum of the overlaps of found boxes.
    """

    found: int = 0
    missed: int = 0
    false_alarms: int = 0
    switches: int = 0
    fragmentations: int = 0
    mostly_tracked: int = 0
    partially_tracked: int = 0
    mostly_lost: int = 0
    overlap: float = 0.0

    def __add__(self, other: "ClearCounts") -> "ClearCounts":
        return type(self)(
            *(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True))
        )

    @property
    def people(self) -> int:
        """Number of true identities."""
        return self.mostly_tracked + self.partially_tracked + self.mostly_lost

    @property
    def mota(self) -> float:
        """One less all errors a true box: negative where they are more, 0 without any box."""
        boxes = self.found + self.missed
        return (self.found - self.false_alarms - self.switches) / boxes if boxes else 0.0

    @property
    def motp(self) -> float:
        """Mean overlap of found boxes."""
        return self.overlap / max(1, self.found)

    @property
    def recall(self) -> float:
        """Share of the true boxes that is found."""
        return self.found / max(1, self.found + self.missed)

    @property
    def precision(self) -> float:
        """Share of the reported boxes that is right."""
        return self.found / max(1, self.found + self.false_alarms)


def count_clear(comparison: Comparison) -> ClearCounts:
    """Return the CLEAR counts of a sequence."""
    people = len(comparison.person_boxes)
    last_track = np.full(people, NOBODY)
    previous_track = np.full(people, NOBODY)
    found, segments = np.zeros(people, np.int64), np.zeros(people, np.int64)
    switches, overlap = 0, 0.0
    for frame in comparison.frames:
        # As in the official evaluator, a frame without people or without tracks is no frame:
        # what was followed before it counts as followed just before the next one.
        if not len(frame.people) or not len(frame.tracks):
            continue
        rows, columns = _match(frame, previous_track)
        matched, tracks = frame.people[rows], frame.tracks[columns]
        last = last_track[matched]
        switches += int(((last != NOBODY) & (last != tracks)).sum())
        segments[matched] += previous_track[matched] == NOBODY
        found[matched] += 1
        overlap += float(frame.overlaps[rows, columns].sum())
        last_track[matched] = tracks
        previous_track[:] = NOBODY
        previous_track[matched] = tracks
    return _summarise(comparison, found, segments, switches=switches, overlap=overlap)


def _match(frame: FramePair, previous_track: Int64[np.ndarray, " people"]) -> Pairs:
    loyal = frame.tracks[None, :] == previous_track[frame.people][:, None]
    scores: Float64[np.ndarray, "n m"] = LOYALTY * loyal + frame.overlaps
    return match_best_total(np.where(frame.overlaps < MIN_OVERLAP - TOLERANCE, 0, scores))


def _summarise(
    comparison: Comparison,
    found: Int64[np.ndarray, " people"],
    segments: Int64[np.ndarray, " people"],
    *,
    switches: int,
    overlap: float,
) -> ClearCounts:
    share = found / comparison.person_boxes
    mostly_tracked = int((share > MOSTLY_TRACKED).sum())
    mostly_lost = int((share < MOSTLY_LOST).sum())
    total = int(found.sum())
    return ClearCounts(
        found=total,
        missed=int(comparison.person_boxes.sum()) - total,
        false_alarms=int(comparison.track_boxes.sum()) - total,
        switches=switches,
        fragmentations=int(np.maximum(segments - 1, 0).sum()),
        mostly_tracked=mostly_tracked,
        partially_tracked=len(share) - mostly_tracked - mostly_lost,
        mostly_lost=mostly_lost,
        overlap=overlap,
    )
