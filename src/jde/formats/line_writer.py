"""A text file that grows line by line."""

from pathlib import Path

from jde.structures.closing import Closing
from jde.structures.errors import InputError


class LineWriter(Closing):
    """Replaces a file and hands every finished line to the system at once.

    What a broken run has written so far stays readable. Use it as a context manager.

    Args:
        path: The file.

    Raises:
        InputError: The file can't be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", buffering=1, encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(f"{path}: can't be written ({error.strerror})") from error

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
