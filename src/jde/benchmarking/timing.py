import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

MILLISECONDS = 1000.0
LEAST_ROUNDS = 3
"""Measured however long they take: fewer have no spread."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one step takes, in milliseconds.

    Attributes:
        median: Of the time on the wall.
        p10: Time that a tenth of the samples stay below.
        p90: Time that nine tenths stay below.
        processor: Median time of all cores together; work of other programs disturbs it less.
        samples: How often it was measured.
    """

    median: float
    p10: float
    p90: float
    processor: float
    samples: int

    @classmethod
    def of(cls, wall: list[float], processor: list[float]) -> "Timing":
        """Return the summary of samples in seconds."""
        low, middle, high = np.percentile(wall, [10, 50, 90]) * MILLISECONDS
        busy = float(np.median(processor)) * MILLISECONDS
        return cls(float(middle), float(low), float(high), busy, len(wall))


def measure_in_turn(
    actions: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warm_up: int = 2,
    seconds: float = float("inf"),
) -> dict[str, Timing]:
    """Return the time of each action, all measured in turn so that a busy moment meets them all.

    Args:
        actions: What to measure, by name.
        rounds: How often each is measured.
        warm_up: Rounds before that don't count.
        seconds: Stop early once this much time has passed.
    """
    for _ in range(warm_up):
        for action in actions.values():
            action()
    wall: dict[str, list[float]] = {name: [] for name in actions}
    processor: dict[str, list[float]] = {name: [] for name in actions}
    begin = time.perf_counter()
    for done in range(rounds):
        if done >= LEAST_ROUNDS and time.perf_counter() - begin > seconds:
            break
        for name, action in actions.items():
            start, busy = time.perf_counter(), time.process_time()
            action()
            wall[name].append(time.perf_counter() - start)
            processor[name].append(time.process_time() - busy)
    return {name: Timing.of(wall[name], processor[name]) for name in actions}
