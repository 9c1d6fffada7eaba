from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

Item = TypeVar("Item")


class Stopwatch:
    """Seconds for which each stage was busy; every stage is measured by one thread only."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start

    def timed(self, stage: str, items: Iterable[Item]) -> Generator[Item, None, None]:
        """Yield `items` and add the time that making each takes to a stage."""
        iterator = iter(items)
        try:
            while True:
                with self.measure(stage):
                    item = next(iterator, _NOTHING)
                if item is _NOTHING:
                    return
                yield item  # type: ignore[misc]
        finally:
            if isinstance(iterator, Generator):
                iterator.close()

    @property
    def bottleneck(self) -> str | None:
        """Stage that was busy longest."""
        return max(self.seconds, key=self.seconds.__getitem__, default=None)


_NOTHING = object()
