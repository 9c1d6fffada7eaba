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


def test_two_stages_work_at_the_same_time() -> None:
    both_at_work = threading.Barrier(2, timeout=10)

    def numbers() -> Iterator[int]:
        for number in range(20):
            if number:
                both_at_work.wait()
            yield number

    # The thread makes number k + 1 while number k is in use here: alone, either would wait in vain.
    used = []
    for number in ahead(numbers(), 1):
        if number < 19:
            both_at_work.wait()
        used.append(number)

    assert used == list(range(20))
