from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from jde.pipeline.ahead import Item

Answer = TypeVar("Answer")


def side_by_side(
    function: Callable[[Item], Answer], items: Iterable[Item], lanes: int
) -> Generator[Answer, None, None]:
    """Yield what `function` answers for every item, in their order.

    One more item than there are lanes is taken ahead, so that a lane that is done early finds work.
    A single lane is the caller's own thread, and takes nothing ahead.

    What goes wrong with an item is raised in its turn, after the answers for those before. Closing
    the generator ends the threads once they are done with the items in their hands.

    Args:
        function: Called from `lanes` threads at a time.
        items: Taken by the caller's thread alone.
        lanes: How many items are worked on at a time.
    """
    if lanes == 1:
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(lanes, thread_name_prefix="lane")
    begun: deque[Future[Answer]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(function, item))
            if len(begun) > lanes:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
