from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from jde.structures.blas import OneBlasThread


def blas_threads() -> set[int]:
    """Return how many threads the OpenBLAS libraries of this process use."""
    return {each["num_threads"] for each in threadpool_info() if each["internal_api"] == "openblas"}


@pytest.fixture(autouse=True)
def two_threads() -> object:
    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this NumPy computes without OpenBLAS, or on one thread only")
        yield


def test_products_use_one_thread_inside_and_as_many_as_before_after_it() -> None:
    with OneBlasThread():
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_an_error_inside_gives_the_threads_back() -> None:
    with pytest.raises(ValueError, match="inside"), OneBlasThread():
        raise ValueError("inside")
    assert blas_threads() == {2}


def test_the_last_one_out_gives_the_threads_back() -> None:
    held, both_inside = OneBlasThread(), Barrier(2)

    def enter() -> set[int]:
        with held:
            both_inside.wait()
        both_inside.wait()
        return blas_threads()

    with ThreadPoolExecutor(2) as pool:
        after = [pool.submit(enter) for _ in range(2)]
        assert [each.result() for each in after] == [{2}, {2}]
    with held, held:
        pass
    assert blas_threads() == {2}
