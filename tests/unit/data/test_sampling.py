import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jde.data.sampling import EpochPlan
from jde.structures.errors import InputError


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, int, int]:
    """Return numbers of pictures, pictures a step and processes that fit together."""
    processes = draw(st.integers(1, 5))
    return draw(st.integers(processes, 90)), draw(st.integers(1, 7)), processes


@given(shape=shapes(), seed=st.integers(0, 99), epoch=st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_processes_share_every_picture_once(
    shape: tuple[int, int, int], seed: int, epoch: int
) -> None:
    pictures, batch_size, processes = shape
    plans = [
        EpochPlan(pictures, batch_size, seed, process, processes) for process in range(processes)
    ]
    steps = [list(plan.steps(epoch)) for plan in plans]
    assert {len(one) for one in steps} == {len(plan) for plan in plans} == {len(steps[0])}
    drawn = [draw.picture for one in steps for step in one for draw in step]
    assert sorted(drawn) == list(range(pictures))
    assert all(step for one in steps for step in one)
    assert all(draw.epoch == epoch for one in steps for step in one for draw in step)


@given(shape=shapes())
@settings(max_examples=80, deadline=None)
def test_full_steps_alone_when_the_rest_is_dropped(shape: tuple[int, int, int]) -> None:
    pictures, batch_size, processes = shape
    together = batch_size * processes
    pictures = max(pictures, together)
    for process in range(processes):
        plan = EpochPlan(pictures, batch_size, 0, process, processes, drop_last=True)
        assert len(plan) == pictures // together
        assert all(len(step) == batch_size for step in plan.steps(0))


def test_a_step_holds_the_same_pictures_however_many_share_it() -> None:
    alone = list(EpochPlan(51, 12, seed=4).steps(3))
    shared = [list(EpochPlan(51, 4, 4, process, 3).steps(3)) for process in range(3)]
    for step, parts in zip(alone, zip(*shared, strict=True), strict=True):
        assert step == [draw for part in parts for draw in part]


def test_an_epoch_goes_on_from_any_step() -> None:
    plan = EpochPlan(23, 4, seed=1)
    whole = list(plan.steps(2))
    assert list(plan.steps(2, 3)) == whole[3:]
    assert list(plan.steps(2, len(plan))) == []
    assert list(plan.steps(3)) != whole
    assert list(EpochPlan(23, 4, seed=2).steps(2)) != whole


def test_order_is_kept_without_shuffling() -> None:
    steps = EpochPlan(5, 2, shuffle=False).steps(0)
    assert [[draw.picture for draw in step] for step in steps] == [[0, 1], [2, 3], [4]]


def test_too_few_pictures_for_a_step_are_refused() -> None:
    with pytest.raises(InputError, match="2 training pictures don't fill one step of 3"):
        EpochPlan(2, 8, processes=3)
    with pytest.raises(InputError, match="7 training pictures don't fill one step of 8"):
        EpochPlan(7, 8, drop_last=True)
