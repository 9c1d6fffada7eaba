from collections.abc import Iterator

import pytest

from jde.pipeline.stopwatch import Stopwatch, ThreadTime


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
    assert watch.by_thread(threads) == [
        ThreadTime({"decode": 2.0, "prepare": 2.0}),
        ThreadTime({"detect": 3.0}),
    ]
    assert watch.slowest(threads) == "decode + prepare"
    assert Stopwatch().slowest(threads) is None


def test_threads_that_do_the_same_share_the_time_of_their_stage(clock: Clock) -> None:
    watch = Stopwatch()
    watch.lanes["detect"] = 2
    for stage, seconds in [("decode", 3), ("detect", 4), ("track", 1), ("write", 1)]:
        with watch.measure(stage):
            clock.now += seconds

    threads = (("decode",), ("detect",), ("track", "write"))
    assert watch.slowest(threads) == "decode"
    assert [(part.name, part.seconds) for part in watch.by_thread(threads)] == [
        ("decode", 3),
        ("detect", 2),
        ("track + write", 2),
    ]
    watch.seconds["detect"] = 7.0
    assert watch.slowest(threads) == "detect"


def test_time_of_a_stage_that_fails_counts(clock: Clock) -> None:
    def fail() -> None:
        with watch.measure("detect"):
            clock.now += 1
            raise ValueError("broken")

    watch = Stopwatch()
    with pytest.raises(ValueError, match="broken"):
        fail()

    assert watch.seconds == {"detect": 1}
