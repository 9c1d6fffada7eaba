from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int64

from jde.data.sample import UNKNOWN_IDENTITY, Borrower, Lender, Sample, Source
from jde.structures.errors import InputError


class JointSource:
    """Several sources as one: their identities are numbered one after the other.

    People who were cut out of one source and are shown by another keep their number: as two
    identities they would teach the embedding to tell a person from the same person.

    Args:
        sources: What to join, in the order that numbers the identities.
        repeats: How often each source's pictures occur in an epoch: 2 shows each twice, 0.5 shows
            every second one. Once each where None.

    Raises:
        InputError: There is no picture at all, or a repeat is no positive number.
    """

    name = "joint"

    def __init__(self, sources: Sequence[Source], repeats: Sequence[float] | None = None) -> None:
        self.sources = tuple(sources)
        factors = [1.0] * len(self.sources) if repeats is None else list(repeats)
        if len(factors) != len(self.sources) or not all(factor > 0 for factor in factors):
            raise InputError(f"repeat must be a number above 0 for each source, got {factors}")
        counts = [
            round(len(source) * factor)
            for source, factor in zip(self.sources, factors, strict=True)
        ]
        self._ends = np.cumsum([0, *counts])
        self.numbers, self.identity_count = number_identities(self.sources)
        if not len(self):
            raise InputError("the sources hold no picture; name at least one with pictures")

    def __len__(self) -> int:
        return int(self._ends[-1])

    def locate(self, index: int) -> tuple[int, int]:
        """Return the source that holds picture `index`, and the picture's place in it."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = int(np.searchsorted(self._ends, index, side="right")) - 1
        available = len(self.sources[number])
        position = (index - int(self._ends[number])) % available
        left = int(self._ends[number + 1]) - index + position
        count = min(available, left)
        # An incomplete round is spread evenly, so that a video loses no part of its time.
        return number, position * available // count

    def lent_numbers(self) -> dict[str, int]:
        """Return the joint number of each person by the name that cut-outs of the person have.

        A name that two sources use says nothing and is left out.
        """
        names, times = lent_names(self.sources)
        return {
            name: int(number)
            for own, numbers in zip(names, self.numbers, strict=True)
            for name, number in zip(own, numbers, strict=False)
            if times[name] == 1
        }

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Return picture `index` with identities numbered over all sources."""
        number, position = self.locate(index)
        sample = self.sources[number].load(position, rng)
        known = sample.labels.identities != UNKNOWN_IDENTITY
        identities = np.full_like(sample.labels.identities, UNKNOWN_IDENTITY)
        identities[known] = self.numbers[number][sample.labels.identities[known]]
        return replace(sample, labels=replace(sample.labels, identities=identities))


def lent_names(sources: Sequence[Source]) -> tuple[list[tuple[str, ...]], Counter[str]]:
    """Return what cut-outs of each source's identities are called, and how often each name is."""
    names = [one.identity_names if isinstance(one, Lender) else () for one in sources]
    return names, Counter(name for own in names for name in own)


def number_identities(sources: Sequence[Source]) -> tuple[list[Int64[np.ndarray, " n"]], int]:
    """Return the joint number of each identity of each source, and how many numbers there are."""
    lent, times = lent_names(sources)
    names = [
        one.borrowed_names if isinstance(one, Borrower) else own
        for one, own in zip(sources, lent, strict=True)
    ]
    is_lent = [
        # A name that two sources use says nothing.
        np.array([isinstance(one, Borrower) and times[name] == 1 for name in mine], bool)
        if mine
        else np.zeros(one.identity_count, bool)
        for one, mine in zip(sources, names, strict=True)
    ]
    ends = np.cumsum([0, *(int((~borrowed).sum()) for borrowed in is_lent)])
    numbers = [np.full(len(borrowed), -1, np.int64) for borrowed in is_lent]
    owners: dict[str, int] = {}
    for mine, own, borrowed, first in zip(numbers, lent, is_lent, ends[:-1], strict=True):
        mine[~borrowed] = first + np.arange((~borrowed).sum())
        owners.update(zip(own, mine.tolist(), strict=False))
    for mine, called, borrowed in zip(numbers, names, is_lent, strict=True):
        mine[borrowed] = [owners[called[place]] for place in np.flatnonzero(borrowed)]
    return numbers, int(ends[-1])
