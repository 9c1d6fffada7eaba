import threading
import time
from collections.abc import Iterator
from itertools import islice

import pytest

from jde.pipeline.ahead import ahead


def test_items_keep_their_order_through_three_threads() -> None:
    assert list(ahead(ahead(ahead(range(500), 1), 3), 2)) == list(range(500))


def test_no_more_than_the_agreed_number_is_prepared() -> None:
    made = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    taken = ahead(numbers(), 3)
    next(taken)
    time.sleep(0.05)

    # One taken, three waiting, one in the thread's hand.
    assert len(made) <= 5
    taken.close()


def test_fault_of_the_thread_comes_after_the_items_before_it() -> None:
    def numbers() -> Iterator[int]:
        yield from range(5)
        raise ValueError("the sixth")

    taken = ahead(ahead(numbers(), 2), 2)

    assert list(islice(taken, 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="the sixth"):
        next(taken)


def test_closing_early_closes_everything_before_it_and_ends_the_threads() -> None:
    before = threading.active_count()
    closed = []

    def numbers() -> Iterator[int]:
        try:
            yield from iter(int, 1)  # without end
        finally:
            closed.append(True)

    taken = ahead(ahead(numbers(), 2), 2)
    next(taken)
    taken.close()

    assert closed == [True]
    assert threading.active_count() == before


def test_two_stages_take_the_time_of_the_slower_one() -> None:
    def slow(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            time.sleep(0.01)
            yield item

    start = time.perf_counter()
    count = sum(1 for _ in slow(ahead(slow(iter(range(30))), 2)))
    took = time.perf_counter() - start

    assert count == 30
    assert took < 0.9 * 2 * 30 * 0.01
