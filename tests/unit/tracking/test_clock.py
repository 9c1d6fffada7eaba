import pytest

from jde.structures.errors import InputError
from jde.tracking.clock import StreamClock


def test_without_time_stamps_every_frame_counts_one() -> None:
    clock = StreamClock(25.0, counts_frames=False)
    assert [clock.advance(None) for _ in range(3)] == [1, 1, 1]
    assert clock.now == clock.frames == 3


def test_time_stamps_of_a_constant_rate_count_exactly_one_each() -> None:
    clock = StreamClock(30.0, counts_frames=False)
    assert {clock.advance(index / 30) for index in range(2000)} == {1.0}


def test_time_stamps_measure_gaps_in_nominal_frames() -> None:
    clock = StreamClock(10.0, counts_frames=False)
    steps = [clock.advance(seconds) for seconds in (5.0, 5.1, 5.1, 5.35)]
    assert steps == [1, 1, 0, 2.5]


def test_published_programs_count_frames_whatever_the_time_stamps() -> None:
    clock = StreamClock(30.0, counts_frames=True)
    assert [clock.advance(seconds) for seconds in (0.0, 9.0, 3.0)] == [1, 1, 1]


def test_time_that_goes_back_is_refused() -> None:
    clock = StreamClock(30.0, counts_frames=False)
    clock.advance(2.0)
    with pytest.raises(InputError, match=r"went back from 2.0 to 1.0.*new Tracker"):
        clock.advance(1.0)
    assert clock.frames == 1


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_time_stamp_that_is_no_number_is_refused(seconds: float) -> None:
    with pytest.raises(InputError, match="finite time stamp"):
        StreamClock(30.0, counts_frames=False).advance(seconds)


@pytest.mark.parametrize("rate", [0.0, -5.0, float("nan")])
def test_frame_rate_must_be_positive(rate: float) -> None:
    with pytest.raises(InputError, match="frame_rate"):
        StreamClock(rate, counts_frames=False)
