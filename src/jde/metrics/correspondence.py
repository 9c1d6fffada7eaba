"""CLEAR as py-motmetrics counts it, with its transfers, ascends and migrations.

The published JDE programs score with these rules. They differ from the official evaluator's:
a person keeps its track over any gap, people mostly tracked may be missed in exactly a fifth of
their boxes, and a fragmentation is a gap in the person's own boxes.
"""

from dataclasses import astuple, dataclass

import numpy as np
from jaxtyping import Bool, Int64

from jde.metrics.clear import MOSTLY_LOST, MOSTLY_TRACKED, NOBODY, ClearCounts
from jde.metrics.comparison import Comparison, FramePair
from jde.metrics.matching import Pairs, is_allowed, match_most_pairs


@dataclass(frozen=True, slots=True)
class SwitchCounts:
    """Kinds of identity changes; they add up over sequences.

    Attributes:
        transfers: A track takes another person than the one it last took.
        ascends: A person switches to a track that has never been matched.
        migrations: A track transfers to a person who has never been matched.
    """

    transfers: int = 0
    ascends: int = 0
    migrations: int = 0

    def __add__(self, other: "SwitchCounts") -> "SwitchCounts":
        return type(self)(
            *(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True))
        )


class Correspondence:
    """Who followed whom up to the current frame of a sequence."""

    def __init__(self, people: int, tracks: int) -> None:
        self._track_of = np.full(people, NOBODY)
        self._person_of = np.full(tracks, NOBODY)
        self._track_used = np.zeros(tracks, bool)
        self._column_of = np.full(tracks, NOBODY)
        self.switches = 0
        self.kinds = SwitchCounts()

    def match(self, frame: FramePair) -> Pairs:
        """Return the pairs of a frame: first those that go on, then the best of the others."""
        allowed = is_allowed(frame.overlaps)
        rows, columns = self._continue(frame, allowed)
        free_rows = np.setdiff1d(np.arange(len(frame.people)), rows)
        free_columns = np.setdiff1d(np.arange(len(frame.tracks)), columns)
        rest = np.ix_(free_rows, free_columns)
        new_rows, new_columns = match_most_pairs(frame.overlaps[rest], allowed[rest])
        new_rows, new_columns = free_rows[new_rows], free_columns[new_columns]
        self._track_used[frame.tracks[columns]] = True
        self._begin(frame.people[new_rows], frame.tracks[new_columns])
        return np.concatenate([rows, new_rows]), np.concatenate([columns, new_columns])

    def _continue(self, frame: FramePair, allowed: Bool[np.ndarray, "n m"]) -> Pairs:
        self._column_of[frame.tracks] = np.arange(len(frame.tracks))
        previous = self._track_of[frame.people]
        columns = np.where(previous == NOBODY, NOBODY, self._column_of[previous])
        self._column_of[frame.tracks] = NOBODY
        rows = np.flatnonzero(columns != NOBODY)
        rows = rows[allowed[rows, columns[rows]]]
        # Two people may remember one track: the first in the file keeps it.
        _, first = np.unique(columns[rows], return_index=True)
        rows = rows[np.sort(first)]
        return rows, columns[rows]

    def _begin(self, people: Int64[np.ndarray, " k"], tracks: Int64[np.ndarray, " k"]) -> None:
        last_track, last_person = self._track_of[people], self._person_of[tracks]
        # Whoever continued a track was matched before, so only these pairs count anything.
        switched = (last_track != NOBODY) & (last_track != tracks)
        transferred = (last_person != NOBODY) & (last_person != people)
        self.switches += int(switched.sum())
        self.kinds += SwitchCounts(
            transfers=int(transferred.sum()),
            ascends=int((switched & ~self._track_used[tracks]).sum()),
            migrations=int((transferred & (last_track == NOBODY)).sum()),
        )
        self._track_of[people] = tracks
        self._person_of[tracks] = people
        self._track_used[tracks] = True


def count_correspondence(comparison: Comparison) -> tuple[ClearCounts, SwitchCounts]:
    """Return the CLEAR counts of a sequence by py-motmetrics' rules, and the kinds of changes."""
    people = len(comparison.person_boxes)
    correspondence = Correspondence(people, len(comparison.track_boxes))
    found, gaps = np.zeros(people, np.int64), np.zeros(people, np.int64)
    seen_once, is_followed = np.zeros(people, bool), np.zeros(people, bool)
    overlap = 0.0
    for frame in comparison.frames:
        if not len(frame.people):
            continue
        matched = np.zeros(0, np.int64)
        if len(frame.tracks):
            rows, columns = correspondence.match(frame)
            matched = frame.people[rows]
            overlap += float(frame.overlaps[rows, columns].sum())
        gaps[matched] += seen_once[matched] & ~is_followed[matched]
        found[matched] += 1
        is_followed[frame.people] = False
        is_followed[matched] = seen_once[matched] = True
    share = found / comparison.person_boxes
    mostly_tracked, mostly_lost = (share >= MOSTLY_TRACKED).sum(), (share < MOSTLY_LOST).sum()
    counts = ClearCounts(
        found=int(found.sum()),
        missed=int((comparison.person_boxes - found).sum()),
        false_alarms=int(comparison.track_boxes.sum() - found.sum()),
        switches=correspondence.switches,
        fragmentations=int(gaps.sum()),
        mostly_tracked=int(mostly_tracked),
        partially_tracked=people - int(mostly_tracked) - int(mostly_lost),
        mostly_lost=int(mostly_lost),
        overlap=overlap,
    )
    return counts, correspondence.kinds
