import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ThreadTime:
    """What a thread did, or several that did the same side by side.

    Attributes:
        stages: Seconds for which each of its stages was busy, those of all threads added up.
        lanes: How many threads it was.
    """

    stages: dict[str, float]
    lanes: int = 1

    @property
    def name(self) -> str:
        """Names of the stages, such as `draw + encode`."""
        return " + ".join(self.stages)

    @property
    def seconds(self) -> float:
        """How long each thread was busy."""
        return sum(self.stages.values()) / self.lanes


class Stopwatch:
    """Seconds for which each stage was busy, those of several threads added up.

    Attributes:
        seconds: By stage.
        lanes: Threads of the stages that have more than one.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.lanes: dict[str, int] = {}
        self._writing = threading.Lock()

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        start = perf_counter()
        try:
            yield
        finally:
            spent = perf_counter() - start
            with self._writing:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + spent

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

    def by_thread(self, threads: Iterable[Sequence[str]]) -> list[ThreadTime]:
        """Return the time of each thread's stages; threads that did nothing are left out."""
        parts = [
            ThreadTime(
                {stage: self.seconds[stage] for stage in thread if stage in self.seconds},
                max(self.lanes.get(stage, 1) for stage in thread),
            )
            for thread in threads
        ]
        return [part for part in parts if part.stages]

    def slowest(self, threads: Iterable[Sequence[str]]) -> str | None:
        """Return the stages of the thread that was busy longest, such as `draw + encode`."""
        parts = self.by_thread(threads)
        longest = max(parts, key=lambda part: part.seconds, default=None)
        return longest.name if longest else None


_NOTHING = object()
