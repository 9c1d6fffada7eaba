"""Files that are written aside and take their place once they are complete."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR})
"""What more room doesn't mend."""


class UnwritableError(OSError):
    """A file can't be written: the message names it and says what mends that."""


@contextmanager
def writing(path: Path, *errors: type[Exception]) -> Iterator[None]:
    """Let what goes wrong in writing name the file that somebody asked for, on a full disk say.

    Args:
        path: That file; what is written may be a draft of it.
        errors: What the library that writes raises instead of `OSError`.

    Raises:
        UnwritableError: It can't be written.
    """
    failures: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        yield
    except UnwritableError:
        raise
    except failures as error:
        cause = error if isinstance(error, OSError) else error.__context__ or error
        number, reason = getattr(cause, "errno", None), getattr(cause, "strerror", None)
        mend = "choose another place" if number in REFUSED else "make room"
        raise UnwritableError(f"{path}: can't be written ({reason or cause}); {mend}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file.

    Raises:
        UnwritableError: It can't be written.
    """
    with writing(path):
        path.write_text(text, encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a draft to write that takes the place of `path` once it is complete.

    Raises:
        UnwritableError: It can't be written; what stood there stays.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        draft = Path(name)
        try:
            yield draft
            draft.chmod(0o644)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
