import time
from collections.abc import Iterator

from jde.pipeline.stopwatch import Stopwatch


def test_time_of_making_items_counts_and_time_of_using_them_does_not() -> None:
    def slow() -> Iterator[int]:
        for number in range(3):
            time.sleep(0.02)
            yield number

    watch = Stopwatch()
    for _ in watch.timed("decode", slow()):
        time.sleep(0.05)

    assert 0.06 <= watch.seconds["decode"] < 0.15


def test_longest_stage_is_the_bottleneck() -> None:
    watch = Stopwatch()
    for stage, seconds in [("decode", 0.0), ("detect", 0.02), ("track", 0.001)]:
        with watch.measure(stage):
            time.sleep(seconds)

    assert watch.bottleneck == "detect"
    assert Stopwatch().bottleneck is None


def test_a_stage_adds_up_over_frames() -> None:
    watch = Stopwatch()
    for _ in range(4):
        with watch.measure("draw"):
            time.sleep(0.01)

    assert watch.seconds["draw"] >= 0.04
