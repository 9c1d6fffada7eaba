from collections.abc import Generator, Iterable, Iterator, Sequence
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

    def by_thread(self, threads: Iterable[Sequence[str]]) -> list[dict[str, float]]:
        """Return the seconds of each thread's stages; threads that did nothing are left out."""
        parts = [
            {stage: self.seconds[stage] for stage in thread if stage in self.seconds}
            for thread in threads
        ]
        return [part for part in parts if part]

    def slowest(self, threads: Iterable[Sequence[str]]) -> str | None:
        """Return the stages of the thread that was busy longest, such as `draw + encode`."""
        parts = self.by_thread(threads)
        longest = max(parts, key=lambda part: sum(part.values()), default={})
        return " + ".join(longest) or None


_NOTHING = object()
