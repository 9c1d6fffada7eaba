from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int64

from jde.data.sample import UNKNOWN_IDENTITY, Sample, Source
from jde.structures.errors import InputError


class JointSource:
    """Several sources as one: their identities are numbered one after the other.

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
        identity_counts = [source.identity_count for source in self.sources]
        self.offsets: Int64[np.ndarray, " n"] = np.cumsum([0, *identity_counts])[:-1]
        self.identity_count = sum(identity_counts)
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

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Return picture `index` with identities numbered over all sources."""
        number, position = self.locate(index)
        sample = self.sources[number].load(position, rng)
        known = sample.labels.identities != UNKNOWN_IDENTITY
        identities = np.where(
            known, sample.labels.identities + self.offsets[number], UNKNOWN_IDENTITY
        )
        return replace(sample, labels=replace(sample.labels, identities=identities))
