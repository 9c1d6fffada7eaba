"""NumPy's matrix products on one thread, so that they take no core from a network."""

from functools import lru_cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController


class OneBlasThread:
    """Context in which OpenBLAS computes on one thread; several threads may be inside at a time.

    Its other threads go on spinning for a while after each product: a network that runs next would
    wait for their cores (DarkNet-53 in 8 bits on two cores: 346 in place of 296 ms).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._former: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._former = [(library, library.get_num_threads()) for library in _libraries()]
                for library, _ in self._former:
                    library.set_num_threads(1)

    def __exit__(self, *failure: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                for library, threads in self._former:
                    library.set_num_threads(threads)


ONE_BLAS_THREAD = OneBlasThread()
"""For all of a process, whose libraries have one setting each."""


@lru_cache(1)
def _libraries() -> list[Any]:
    return list(ThreadpoolController().select(internal_api="openblas").lib_controllers)
