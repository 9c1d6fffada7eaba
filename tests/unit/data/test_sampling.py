from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jde.data.sampling import Draw, EpochPlan
from jde.structures.errors import InputError


class Shape(NamedTuple):
    """How the work of an epoch is divided."""

    pictures: int
    batch_size: int
    processes: int
    accumulate: int

    def plans(self, seed: int = 0) -> list[EpochPlan]:
        """Return the plan of each process."""
        return [
            EpochPlan(
                self.pictures, self.batch_size, seed, process, self.processes, self.accumulate
            )
            for process in range(self.processes)
        ]

    def steps(self, seed: int = 0, epoch: int = 0) -> list[list[list[Draw]]]:
        """Return the parts of each step, in their order over turns and processes."""
        batches = [list(plan.batches(epoch)) for plan in self.plans(seed)]
        parts = [part for turn in zip(*batches, strict=True) for part in turn]
        together = self.processes * self.accumulate
        return [parts[start : start + together] for start in range(0, len(parts), together)]


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """Return numbers of pictures, pictures a batch, processes and parts that fit together."""
    processes, accumulate = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    pictures = draw(st.integers(processes * accumulate, 90))
    return Shape(pictures, draw(st.integers(1, 7)), processes, accumulate)


@given(shape=shapes(), seed=st.integers(0, 99), epoch=st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_processes_share_every_picture_once(shape: Shape, seed: int, epoch: int) -> None:
    steps = shape.steps(seed, epoch)
    assert {len(plan) for plan in shape.plans()} == {len(steps) * shape.accumulate}
    drawn = [draw for step in steps for part in step for draw in part]
    assert sorted(draw.picture for draw in drawn) == list(range(shape.pictures))
    assert all(draw.epoch == epoch for draw in drawn)


@given(shape=shapes())
@settings(max_examples=150, deadline=None)
def test_no_part_is_empty_and_small_steps_are_the_last_two(shape: Shape) -> None:
    steps = shape.steps()
    full = shape.batch_size * shape.processes * shape.accumulate
    sizes = [sum(map(len, step)) for step in steps]
    most = shape.batch_size + (shape.batch_size == 1)
    assert all(1 <= len(part) <= most for step in steps for part in step)
    assert all(size == full for size in sizes[:-2])
    assert len(sizes) == 1 or min(sizes) >= full // 2
    for step in steps:
        parts = [len(part) for part in step]
        assert max(parts) - min(parts) <= 1


@given(shape=shapes())
@settings(max_examples=80, deadline=None)
def test_a_step_holds_the_same_pictures_however_it_is_divided(shape: Shape) -> None:
    size = shape.batch_size + 1
    alone = Shape(shape.pictures, size * shape.processes * shape.accumulate, 1, 1)
    divided = shape._replace(batch_size=size)
    for (whole,), parts in zip(alone.steps(4, 3), divided.steps(4, 3), strict=True):
        assert whole == [draw for part in parts for draw in part]


def test_an_epoch_goes_on_from_any_batch() -> None:
    plan = EpochPlan(23, 4, seed=1)
    whole = list(plan.batches(2))
    assert list(plan.batches(2, 3)) == whole[3:]
    assert list(plan.batches(2, len(plan))) == []
    assert list(plan.batches(3)) != whole
    assert list(EpochPlan(23, 4, seed=2).batches(2)) != whole
    parts = EpochPlan(23, 2, seed=1, accumulate=2)
    assert list(parts.batches(2, 5)) == list(parts.batches(2))[5:]


def test_order_is_kept_without_shuffling() -> None:
    batches = EpochPlan(9, 4, shuffle=False).batches(0)
    drawn = [[draw.picture for draw in batch] for batch in batches]
    assert drawn == [[0, 1, 2, 3], [4, 5, 6], [7, 8]]


def test_few_pictures_make_one_small_step() -> None:
    assert [len(batch) for batch in EpochPlan(3, 8).batches(0)] == [3]


def test_a_picture_for_each_part_of_a_step_is_needed() -> None:
    message = r"2 training pictures .* 3 parts of a step one \(3 processes, accumulate 1\)"
    with pytest.raises(InputError, match=message):
        EpochPlan(2, 8, processes=3)
    with pytest.raises(InputError, match=r"5 training pictures .* 6 parts"):
        EpochPlan(5, 8, processes=2, accumulate=3)
