from collections.abc import Iterator

import pytest

from jde.pipeline.stopwatch import Stopwatch


class Clock:
    """Time that passes only when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("jde.pipeline.stopwatch.perf_counter", clock)
    return clock


def test_time_of_making_items_counts_and_time_of_using_them_does_not(clock: Clock) -> None:
    def slow() -> Iterator[int]:
        for number in range(3):
            clock.now += 2
            yield number

    watch = Stopwatch()
    for _ in watch.timed("decode", slow()):
        clock.now += 5

    assert watch.seconds == {"decode": 6}


def test_thread_whose_stages_take_longest_together_is_the_slowest(clock: Clock) -> None:
    threads = (("decode", "prepare"), ("detect",), ("track", "write"))
    watch = Stopwatch()
    for stage, seconds in [("decode", 1), ("detect", 3), ("prepare", 2), ("decode", 1)]:
        with watch.measure(stage):
            clock.now += seconds

    assert watch.seconds == {"decode": 2, "detect": 3, "prepare": 2}
    assert watch.by_thread(threads) == [{"decode": 2, "prepare": 2}, {"detect": 3}]
    assert watch.slowest(threads) == "decode + prepare"
    assert Stopwatch().slowest(threads) is None


def test_time_of_a_stage_that_fails_counts(clock: Clock) -> None:
    def fail() -> None:
        with watch.measure("detect"):
            clock.now += 1
            raise ValueError("broken")

    watch = Stopwatch()
    with pytest.raises(ValueError, match="broken"):
        fail()

    assert watch.seconds == {"detect": 1}
