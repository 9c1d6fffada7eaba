import pytest

from jde.engines.parallelism import Parallelism, Streams


@pytest.mark.parametrize(
    ("threads", "streams", "cores", "number"),
    [
        (None, 1, 16, 1),
        (None, "auto", 1, 1),
        (None, "auto", 2, 2),
        (None, "auto", 64, 4),
        (3, "auto", 64, 3),
        (8, "auto", 2, 2),
        (None, 7, 2, 7),
    ],
)
def test_auto_is_a_stream_for_each_thread_up_to_four(
    threads: int | None, streams: Streams, cores: int, number: int
) -> None:
    assert Parallelism(threads, streams).streams_on(cores) == number
