"""Costs of pairs of a track and a detection, only for pairs that lie near each other."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int64

from jde.structures.blas import ONE_BLAS_THREAD
from jde.tracking.scratch import Scratch

SLACK = 1.001
"""Widens the search for near pairs, so that rounding never loses one."""

CHUNK_PAIRS = 128
"""Pairs whose embeddings are compared at a time: they stay in the processor's cache."""

DENSE_SHARE, DENSE_PAIRS = 1 / 12, 512
"""Share of all pairs, and their number, above which one matrix product is cheaper than comparing
pair by pair."""

FEW_PAIRS = 3000
"""Pairs of boxes that are all compared: to look for near ones would take longer."""

MANY_PAIRS = 1000
"""Pairs near along one axis above which looking at the other one takes less time than it saves."""


class Pairs(NamedTuple):
    """Rows of a first and of a second list that belong together."""

    first: Int64[np.ndarray, " p"]
    second: Int64[np.ndarray, " p"]


def pairs_within(
    first: Float[np.ndarray, " n"],
    reach: Float[np.ndarray, " n"],
    second: Float[np.ndarray, " m"],
) -> Pairs:
    """Return all pairs whose coordinates differ by at most `reach` of the first."""
    order = second.argsort()
    ascending = second[order]
    reach = _widened(reach)
    start = ascending.searchsorted(first - reach, "left")
    count = ascending.searchsorted(first + reach, "right") - start
    end = count.cumsum()
    total = int(end[-1]) if len(end) else 0
    place = np.arange(total) + (start - end + count).repeat(count)
    return Pairs(np.arange(len(first)).repeat(count), order[place])


def motion_distances(
    position: Float[np.ndarray, "4 n"],
    variance: Float[np.ndarray, "4 n"],
    measured: Float[np.ndarray, "4 m"],
    pairs: Pairs,
) -> Float[np.ndarray, " p"]:
    """Return the squared Mahalanobis distance of each pair."""
    offset = measured.take(pairs.second, axis=1)
    offset -= position.take(pairs.first, axis=1)
    offset *= offset
    offset /= variance.take(pairs.first, axis=1)
    return offset.sum(axis=0)


def appearance_distances(
    first: Float32[np.ndarray, "n dim"],
    second: Float32[np.ndarray, "m dim"],
    pairs: Pairs,
    scratch: Scratch,
) -> Float32[np.ndarray, " p"]:
    """Return the Euclidean distance between the unit embeddings of each pair."""
    if len(pairs.first) > max(DENSE_PAIRS, DENSE_SHARE * len(first) * len(second)):
        rows, inverse = np.unique(pairs.first, return_inverse=True)
        return _all_distances(first[rows], second)[inverse, pairs.second]
    squares = np.empty(len(pairs.first), np.float32)
    for start in range(0, len(squares), CHUNK_PAIRS):
        part = slice(start, start + CHUNK_PAIRS)
        difference = scratch.taken("difference", first, pairs.first[part])
        difference -= scratch.taken("other", second, pairs.second[part])
        np.einsum("pd,pd->p", difference, difference, out=squares[part])
    return np.sqrt(squares)


def _all_distances(
    first: Float32[np.ndarray, "n dim"], second: Float32[np.ndarray, "m dim"]
) -> Float32[np.ndarray, "n m"]:
    # The squares nearly cancel for people who look alike: single precision would lose them.
    one, two = first.astype(np.float64), second.astype(np.float64)
    squares = np.einsum("nd,nd->n", one, one)[:, None] + np.einsum("md,md->m", two, two)
    with ONE_BLAS_THREAD:
        squares -= 2 * (one @ two.T)
    return np.sqrt(np.maximum(squares, 0)).astype(np.float32)


def overlap_distances(
    first: Float[np.ndarray, "4 n"],
    second: Float[np.ndarray, "4 m"],
    *,
    limit: float,
    margin: float,
) -> tuple[Pairs, Float[np.ndarray, " p"]]:
    """Return the pairs of corner boxes that may be as near as `limit`, and 1 - IoU of each.

    Args:
        first: Corner boxes, one a column.
        second: Corner boxes, one a column.
        limit: Distance of interest, below 1.
        margin: Added to every side: 1 is the convention of whole pixels.
    """
    if first.shape[1] * second.shape[1] <= FEW_PAIRS:
        distances = _distances(first[:, :, None], second[:, None, :], margin)
        near = distances <= limit
        return Pairs(*near.nonzero()), distances[near]
    pairs = _pairs_that_may_overlap(first, second, limit, margin)
    one, two = first.take(pairs.first, axis=1), second.take(pairs.second, axis=1)
    return pairs, _distances(one, two, margin)


def _distances(
    one: Float[np.ndarray, "4 *#pairs"], two: Float[np.ndarray, "4 *#pairs"], margin: float
) -> Float[np.ndarray, "*pairs"]:
    shared_sides = np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2]) + margin
    np.maximum(shared_sides, 0, out=shared_sides)
    shared = shared_sides[0] * shared_sides[1]
    one_sides, two_sides = one[2:] - one[:2] + margin, two[2:] - two[:2] + margin
    union = one_sides[0] * one_sides[1] + two_sides[0] * two_sides[1] - shared
    iou = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return 1 - iou


def _pairs_that_may_overlap(
    first: Float[np.ndarray, "4 n"], second: Float[np.ndarray, "4 m"], limit: float, margin: float
) -> Pairs:
    pairs = pairs_within(*_spans(first, second, 0, limit, margin))
    if len(pairs.first) <= MANY_PAIRS:
        return pairs
    centres, reach, others = _spans(first, second, 1, limit, margin)
    apart = np.abs(centres.take(pairs.first) - others.take(pairs.second))
    near = apart <= _widened(reach).take(pairs.first)
    return Pairs(pairs.first[near], pairs.second[near])


def _spans(
    first: Float[np.ndarray, "4 n"],
    second: Float[np.ndarray, "4 m"],
    axis: int,
    limit: float,
    margin: float,
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """Return the centres of boxes along an axis, how far from them others count, and theirs."""
    # Boxes of sides v <= w overlap at most v / w, less where their centres lie apart:
    # an IoU of 1 - limit needs centres within limit * w, and w <= v / (1 - limit).
    low, high = axis, axis + 2
    side, other = first[high] - first[low] + margin, second[high] - second[low] + margin
    longest = np.minimum(np.maximum(side, other.max()), side / (1 - limit))
    centres, others = (first[low] + first[high]) / 2, (second[low] + second[high]) / 2
    return centres, limit * np.maximum(longest, 0), others


def _widened(reach: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return reach * SLACK + (SLACK - 1)
