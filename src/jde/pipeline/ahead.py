import threading
from collections.abc import Generator, Iterable
from queue import Empty, SimpleQueue
from typing import Generic, NamedTuple, TypeVar

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
    between = _Between[Item](depth)
    worker = threading.Thread(target=_prepare, args=(items, between), daemon=True)
    worker.start()
    try:
        while True:
            item = between.take()
            if isinstance(item, _End):
                break
            yield item
        if item.error is not None:
            raise item.error
    finally:
        between.unwanted.set()
        worker.join()


class _Between(Generic[Item]):
    """Hands items from one thread to another, a few at a time.

    Its queues are C code that a signal can't leave locked, unlike `queue.Queue`: Ctrl-C may come at
    any instant in the main thread, and the other one must still be able to end.
    """

    def __init__(self, depth: int) -> None:
        self.unwanted = threading.Event()
        self._items: SimpleQueue[Item | _End] = SimpleQueue()
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(depth):
            self._places.put(None)

    def put(self, item: Item | _End) -> bool:
        """Hand over an item; return false if nobody wants it any more."""
        while not self.unwanted.is_set():
            try:
                self._places.get(timeout=POLL_SECONDS)
            except Empty:
                continue
            self._items.put(item)
            return True
        return False

    def take(self) -> Item | _End:
        """Return the next item."""
        # In pieces, so that Ctrl-C is heard on every system.
        while True:
            try:
                item = self._items.get(timeout=POLL_SECONDS)
            except Empty:
                continue
            self._places.put(None)
            return item


def _prepare(items: Iterable[Item], between: _Between[Item]) -> None:
    end = _End(None)
    try:
        for item in items:
            if not between.put(item):
                break
    except BaseException as error:  # noqa: BLE001 (raised again where the items are taken)
        end = _End(error)
    finally:
        if isinstance(items, Generator):
            items.close()
    between.put(end)
