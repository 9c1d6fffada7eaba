import numpy as np

from jde.tracking.scratch import Scratch


def test_memory_is_used_again_and_grows_with_the_crowd() -> None:
    scratch = Scratch()
    first = scratch.rows("unit", 3, 4)
    assert first.shape == (3, 4)
    assert np.shares_memory(first, scratch.rows("unit", 2, 4))
    assert not np.shares_memory(first, scratch.rows("other", 3, 4))
    assert scratch.rows("unit", 100, 4).shape == (100, 4)


def test_taken_rows_are_copies_in_the_order_asked_for() -> None:
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    taken = Scratch().taken("latest", rows, np.array([2, 0, 2]))
    np.testing.assert_array_equal(taken, rows[[2, 0, 2]])
    assert not np.shares_memory(taken, rows)


def test_nobody_takes_nothing() -> None:
    assert Scratch().taken("latest", np.ones((4, 3), np.float32), np.zeros(0, int)).shape == (0, 3)
