"""The two ways in which evaluators pair true boxes with reported ones."""

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.optimize import linear_sum_assignment

MIN_OVERLAP = 0.5
"""Least intersection over union of a pair in CLEAR, Identity and the removal of distractors."""

TOLERANCE = float(np.finfo(float).eps)
"""Slack of the official evaluator's comparisons."""

Pairs = tuple[Int64[np.ndarray, " k"], Int64[np.ndarray, " k"]]
"""Row and column numbers of the pairs."""


def match_best_total(scores: Float64[np.ndarray, "n m"]) -> Pairs:
    """Return the pairs of positive score whose scores sum to most."""
    rows, columns = linear_sum_assignment(-scores)
    kept = scores[rows, columns] > TOLERANCE
    return rows[kept], columns[kept]


def match_most_pairs(
    overlaps: Float64[np.ndarray, "n m"], allowed: Bool[np.ndarray, "n m"]
) -> Pairs:
    """Return the most pairs possible, and among such choices the one with most overlap."""
    # One forbidden pair costs more than all the distances of a frame can save.
    forbidden = 2.0 * min(overlaps.shape) + 1
    rows, columns = linear_sum_assignment(np.where(allowed, 1 - overlaps, forbidden))
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]


def is_allowed(overlaps: Float64[np.ndarray, "n m"]) -> Bool[np.ndarray, "n m"]:
    """Return which pairs py-motmetrics lets match: those at most `1 - MIN_OVERLAP` apart."""
    return 1 - overlaps <= 1 - MIN_OVERLAP
