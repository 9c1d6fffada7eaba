import numpy as np
from jaxtyping import Float, Int64
from scipy.optimize import linear_sum_assignment

from jde.tracking.costs import Pairs

NOBODY = -1
"""Stands for the partner of a row that has none."""


def assign(
    pairs: Pairs, costs: Float[np.ndarray, " p"], limit: float, shape: tuple[int, int]
) -> Int64[np.ndarray, " n"]:
    """Return for each row its column in the matching with the least sum of `cost - limit`.

    Args:
        pairs: Rows and columns that may be matched; no other pair may.
        costs: Cost of each pair; above `limit` it is never matched.
        limit: Cost at which a match is worth as much as none.
        shape: Number of rows and columns.
    """
    allowed = costs <= limit
    rows, columns, gains = pairs.first[allowed], pairs.second[allowed], costs[allowed] - limit
    partner = np.full(shape[0], NOBODY, np.int64)
    # Most pairs have no rival on either side and need no search.
    rivals = np.bincount(rows, minlength=shape[0])[rows]
    rivals += np.bincount(columns, minlength=shape[1])[columns]
    alone = rivals == 2  # noqa: PLR2004 (itself in its row and in its column)
    partner[rows[alone]] = columns[alone]
    if not alone.all():
        contested = ~alone
        solved = _solve(rows[contested], columns[contested], gains[contested])
        partner[solved.first] = solved.second
    return partner


def _solve(
    rows: Int64[np.ndarray, " p"], columns: Int64[np.ndarray, " p"], gains: Float[np.ndarray, " p"]
) -> Pairs:
    row_names, row = np.unique(rows, return_inverse=True)
    column_names, column = np.unique(columns, return_inverse=True)
    gain = np.zeros((len(row_names), len(column_names)))
    gain[row, column] = gains
    allowed = np.zeros(gain.shape, np.bool_)
    allowed[row, column] = True
    best = linear_sum_assignment(gain)
    real = allowed[best]
    return Pairs(row_names[best[0][real]], column_names[best[1][real]])
