import os
from dataclasses import dataclass
from typing import Literal

from jde.structures.errors import InputError

Streams = int | Literal["auto"]
"""How many pictures a network works on side by side; `auto` as many as suit the processor."""

MOST_STREAMS = 4
"""That `auto` takes: each keeps its own copy of everything between input and output."""


@dataclass(frozen=True, slots=True)
class Parallelism:
    """How much of a processor a network takes, and for how many pictures at once.

    Attributes:
        threads: Of the network, shared by its streams; all cores where not given.
        streams: Pictures that it works on side by side.

    Raises:
        InputError: A number is less than 1.
    """

    threads: int | None = None
    streams: Streams = 1

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise InputError(f"threads must be 1 or more, got {self.threads}")
        if self.streams != "auto" and self.streams < 1:
            raise InputError(f"streams must be 1 or more, or 'auto', got {self.streams}")

    def streams_on(self, cores: int) -> int:
        """Return the number of streams on a processor of so many cores: one core each at least."""
        if self.streams == "auto":
            return min(MOST_STREAMS, cores, self.threads or cores)
        return self.streams

    def threads_of_each(self, streams: int) -> int:
        """Return the threads that each of several streams has."""
        return max(1, (self.threads or core_count()) // streams)

    def refuse_streams(self, engine: str) -> None:
        """Refuse several streams, for an engine that has one.

        Raises:
            InputError: More than one was asked for.
        """
        if self.streams not in {1, "auto"}:
            raise InputError(
                f"streams: {engine} works on one picture after the other: leave it 1 or 'auto', "
                "or take OpenVINO or ONNX Runtime"
            )


def core_count() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


ALL_FOR_ONE = Parallelism()
"""All cores work on one picture."""
