import threading
import time
from collections.abc import Iterator
from itertools import count, islice

import pytest

from jde.pipeline.side_by_side import side_by_side


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_answers_keep_the_order_of_the_items(lanes: int) -> None:
    def slow_if_even(number: int) -> int:
        time.sleep(0.002 * (number % 2 == 0))
        return number * number

    answers = list(side_by_side(slow_if_even, range(60), lanes))

    assert answers == [number * number for number in range(60)]


def test_as_many_items_as_lanes_are_worked_on_at_a_time() -> None:
    all_at_work = threading.Barrier(3, timeout=10)

    def wait(number: int) -> int:
        all_at_work.wait()
        return number

    assert list(side_by_side(wait, range(30), 3)) == list(range(30))


def test_a_single_lane_is_the_callers_thread_and_takes_nothing_ahead() -> None:
    numbers = count()

    answers = side_by_side(lambda number: (number, threading.current_thread()), numbers, 1)

    assert next(answers) == (0, threading.current_thread())
    assert next(numbers) == 1


def test_no_more_than_one_item_for_each_lane_and_one_more_is_taken() -> None:
    numbers = count()
    answers = side_by_side(lambda number: number, numbers, 3)

    assert list(islice(answers, 5)) == [0, 1, 2, 3, 4]
    assert next(numbers) == 8
    answers.close()


def test_the_first_fault_comes_in_its_turn_and_alone() -> None:
    before = threading.active_count()

    def break_twice(number: int) -> int:
        if number in {7, 8}:
            raise ValueError(f"number {number}")
        time.sleep(0.002)
        return number

    answers = side_by_side(break_twice, range(100), 3)

    assert list(islice(answers, 7)) == list(range(7))
    with pytest.raises(ValueError, match="number 7"):
        next(answers)
    assert list(answers) == []
    assert threading.active_count() == before


def test_a_fault_of_the_items_ends_the_lanes() -> None:
    before = threading.active_count()

    def two() -> Iterator[int]:
        yield from range(2)
        raise ValueError("no third")

    with pytest.raises(ValueError, match="no third"):
        list(side_by_side(abs, two(), 4))
    assert threading.active_count() == before


def test_closing_early_starts_nothing_new_and_ends_the_lanes() -> None:
    before = threading.active_count()
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.02)
        return number

    answers = side_by_side(work, count(), 2)
    next(answers)
    answers.close()

    assert begun[:2] == [0, 1]
    assert len(begun) <= 4
    assert threading.active_count() == before
