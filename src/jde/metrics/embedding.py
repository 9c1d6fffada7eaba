"""Re-identification as the JDE papers score it: true positive rates at given false ones.

Every pair of embeddings is a trial: of one identity or of two. A threshold on the similarity
accepts trials; the rates follow it. All pairs are looked at twice and never kept, so memory
grows with the number of embeddings and of pairs of one identity, not with that of all pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64, UInt32

from jde.structures.errors import InputError

FALSE_ACCEPT_RATES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)

TILE = 2048
"""Embeddings in each side of a block of pairs."""

HALF_BITS = 16
"""Similarities are ranked by the upper, then by the lower half of their 32 bits."""

SIGN = np.uint32(1 << 31)


@dataclass(frozen=True, slots=True)
class VerificationRates:
    """True positive rates.

    Attributes:
        rates: Share of the pairs of one identity that is accepted, by the share of the pairs of
            two identities that is.
        embeddings: Number of embeddings.
        same: Pairs of one identity.
        different: Pairs of two identities.
    """

    rates: dict[float, float]
    embeddings: int
    same: int
    different: int


class Trials(NamedTuple):
    """Similarities of a block of pairs."""

    same: Float32[np.ndarray, " k"]
    different: Float32[np.ndarray, " m"]


def verification_rates(
    embeddings: Float32[np.ndarray, "n dim"],
    identities: Int64[np.ndarray, " n"],
    *,
    tile: int = TILE,
) -> VerificationRates:
    """Return the true positive rates at `FALSE_ACCEPT_RATES`.

    Embeddings of unknown identity (-1) are left out, and so are pairs of similarity exactly 0.
    Between two points of the curve the rate is interpolated; where the true rate jumps at one
    false rate its last value counts.

    Args:
        embeddings: Appearance of each person, of any length: they are brought to unit length.
        identities: Who it is.
        tile: Embeddings in each side of a block of pairs.

    Raises:
        InputError: There is no pair of one identity or none of two, or a number is not finite.
    """
    known = identities >= 0
    vectors, identities = _normalise(embeddings[known]), identities[known]
    same: list[Float32[np.ndarray, " _"]] = []
    upper = np.zeros(1 << HALF_BITS, np.int64)
    for trials in _all_trials(vectors, identities, tile):
        same.append(trials.same)
        upper += np.bincount(_keys(trials.different) >> HALF_BITS, minlength=len(upper))
    accepted, total = np.sort(np.concatenate([np.zeros(0, np.float32), *same])), int(upper.sum())
    if not len(accepted) or not total:
        raise InputError(
            "re-identification needs two embeddings of one identity and two identities, got "
            f"{len(identities)} embeddings of {len(np.unique(identities))} identities"
        )
    ranks = [_whole_part(rate, total) for rate in FALSE_ACCEPT_RATES]
    lower = _lower_counts(_all_trials(vectors, identities, tile), upper, ranks)
    return VerificationRates(
        rates={
            rate: _rate_at(rate * total, rank, upper, lower, accepted)
            for rate, rank in zip(FALSE_ACCEPT_RATES, ranks, strict=True)
        },
        embeddings=len(identities),
        same=len(accepted),
        different=total,
    )


def _normalise(embeddings: Float32[np.ndarray, "n dim"]) -> Float32[np.ndarray, "n dim"]:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise InputError("an embedding is not finite: the weights are damaged")
    return embeddings / np.maximum(lengths, np.finfo(np.float32).tiny)


def _all_trials(
    vectors: Float32[np.ndarray, "n dim"], identities: Int64[np.ndarray, " n"], tile: int
) -> Iterator[Trials]:
    """Yield every pair once, block by block, always with the same numbers."""
    starts = range(0, len(vectors), tile)
    for top in starts:
        rows = slice(top, top + tile)
        for left in starts[top // tile :]:
            columns = slice(left, left + tile)
            similarities = vectors[rows] @ vectors[columns].T
            taken = similarities != 0
            if left == top:
                taken = np.triu(taken, k=1)
            is_same = identities[rows, None] == identities[None, columns]
            yield Trials(similarities[taken & is_same], similarities[taken & ~is_same])


def _keys(similarities: Float32[np.ndarray, " n"]) -> UInt32[np.ndarray, " n"]:
    """Return whole numbers in the order of the similarities."""
    bits = similarities.view(np.uint32)
    return np.where(bits & SIGN, ~bits, bits | SIGN)


def _value(key: int) -> np.float32:
    """Return the similarity that has a key."""
    bits = np.uint32(key)
    return (bits ^ SIGN if bits & SIGN else ~bits).view(np.float32)


def _whole_part(rate: float, total: int) -> int:
    """Return the most false acceptances whose share does not exceed `rate`."""
    count = int(rate * total) + 1
    return count if count / total <= rate else count - 1


def _upper_of_rank(upper: Int64[np.ndarray, " keys"], rank: int) -> int:
    """Return the upper half of the key of the similarity that `rank` others precede."""
    at_least = np.cumsum(upper[::-1])
    return len(upper) - 1 - int(np.searchsorted(at_least, rank, side="right"))


def _lower_counts(
    trials: Iterator[Trials], upper: Int64[np.ndarray, " keys"], ranks: list[int]
) -> dict[int, Int64[np.ndarray, " keys"]]:
    """Return how often each lower half occurs under the upper halves that the ranks fall on."""
    halves = np.unique([_upper_of_rank(upper, rank) for rank in ranks])
    counts = {int(half): np.zeros(1 << HALF_BITS, np.int64) for half in halves}
    for block in trials:
        keys = _keys(block.different)
        for half in counts:
            chosen = keys[keys >> HALF_BITS == half] & np.uint32((1 << HALF_BITS) - 1)
            counts[half] += np.bincount(chosen, minlength=1 << HALF_BITS)
    return counts


def _rate_at(
    target: float,
    rank: int,
    upper: Int64[np.ndarray, " keys"],
    lower: dict[int, Int64[np.ndarray, " keys"]],
    accepted: Float32[np.ndarray, " k"],
) -> float:
    """Return the true positive rate at `target` false acceptances.

    The threshold falls on the false similarity that `rank` others precede; true similarities
    that equal it are accepted in step with the false ones that do.
    """
    half = _upper_of_rank(upper, rank)
    above_half = int(upper[half + 1 :].sum())
    rest = _upper_of_rank(lower[half], rank - above_half)
    above = above_half + int(lower[half][rest + 1 :].sum())
    equal = int(lower[half][rest])
    threshold = _value((half << HALF_BITS) | rest)
    true_above = len(accepted) - int(np.searchsorted(accepted, threshold, side="right"))
    true_at_least = len(accepted) - int(np.searchsorted(accepted, threshold, side="left"))
    share = max(0.0, target - above) / equal
    return (true_above + share * (true_at_least - true_above)) / len(accepted)
