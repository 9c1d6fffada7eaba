import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def losable(what: str) -> Iterator[None]:
    """Go on with a warning where `what` can't be written, on a full disk say."""
    try:
        yield
    except OSError as error:
        logger.warning("%s not written: %s", what, error)
