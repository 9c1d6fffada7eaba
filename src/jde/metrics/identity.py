"""Identity: how long each person is followed by the one track that suits it best."""

from dataclasses import astuple, dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from jde.metrics.comparison import Comparison
from jde.metrics.matching import MIN_OVERLAP


@dataclass(frozen=True, slots=True)
class IdentityCounts:
    """Boxes under the best one-to-one pairing of people and tracks; they add up over sequences."""

    right: int = 0
    missed: int = 0
    wrong: int = 0

    def __add__(self, other: "IdentityCounts") -> "IdentityCounts":
        return type(self)(
            *(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True))
        )

    @property
    def recall(self) -> float:
        """IDR: share of the true boxes."""
        return self.right / max(1, self.right + self.missed)

    @property
    def precision(self) -> float:
        """IDP: share of the reported boxes."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def f1(self) -> float:
        """IDF1."""
        return 2 * self.right / max(1, 2 * self.right + self.missed + self.wrong)


def count_identity(comparison: Comparison) -> IdentityCounts:
    """Return the Identity counts of a sequence."""
    together = np.zeros((len(comparison.person_boxes), len(comparison.track_boxes)), np.int64)
    for frame in comparison.frames:
        rows, columns = np.nonzero(frame.overlaps >= MIN_OVERLAP)
        together[frame.people[rows], frame.tracks[columns]] += 1
    right = int(together[linear_sum_assignment(together, maximize=True)].sum())
    return IdentityCounts(
        right=right,
        missed=int(comparison.person_boxes.sum()) - right,
        wrong=int(comparison.track_boxes.sum()) - right,
    )
