import threading
from collections.abc import Generator, Iterable
from queue import Empty, Full, Queue
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")

POLL_SECONDS = 0.2
"""How often a waiting thread looks whether it is still needed."""


class _End(NamedTuple):
    error: BaseException | None


def ahead(items: Iterable[Item], depth: int) -> Generator[Item, None, None]:
    """Yield `items` in their order while a thread prepares up to `depth` further ones.

    What goes wrong in the thread is raised here, after the items that came before. Closing the
    generator ends the thread and closes `items`.
    """
    waiting: Queue[Item | _End] = Queue(depth)
    unwanted = threading.Event()
    worker = threading.Thread(target=_prepare, args=(items, waiting, unwanted), daemon=True)
    worker.start()
    try:
        while True:
            item = _take(waiting)
            if isinstance(item, _End):
                break
            yield item
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()
        worker.join()


def _prepare(
    items: Iterable[Item], waiting: "Queue[Item | _End]", unwanted: threading.Event
) -> None:
    end = _End(None)
    try:
        for item in items:
            if not _put(waiting, item, unwanted):
                break
    except BaseException as error:  # noqa: BLE001 (raised again where the items are taken)
        end = _End(error)
    finally:
        if isinstance(items, Generator):
            items.close()
    _put(waiting, end, unwanted)


def _put(waiting: "Queue[Item | _End]", item: Item | _End, unwanted: threading.Event) -> bool:
    """Hand over an item; return false if nobody wants it any more."""
    while not unwanted.is_set():
        try:
            waiting.put(item, timeout=POLL_SECONDS)
        except Full:
            continue
        return True
    return False


def _take(waiting: "Queue[Item | _End]") -> Item | _End:
    # In pieces, so that Ctrl-C is heard on every system.
    while True:
        try:
            return waiting.get(timeout=POLL_SECONDS)
        except Empty:
            continue
