import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def losable(what: str, errors: tuple[type[Exception], ...] = (OSError,)) -> Iterator[None]:
    """Go on with a warning where `what` can't be written, on a full disk say.

    Args:
        what: Start of the warning, with its verb.
        errors: What says that it can't be written.
    """
    try:
        yield
    except errors as error:
        logger.warning("%s not written: %s", what, error)
