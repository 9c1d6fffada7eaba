from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from jde.data.batch import Batch


@runtime_checkable
class Feed(Protocol):
    """Where a process gets its batches from: the same ones in the same order whenever asked."""

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        ...

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from batch `start` on."""
        ...
