"""Text files that hold one row of numbers a line."""

from collections.abc import Collection
from io import StringIO
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from jde.structures.errors import InputError

Table = Float64[np.ndarray, "rows columns"]


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        InputError: The file is missing, can't be read or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text file") from error


def read_table(path: Path, *, columns: Collection[int]) -> Table:
    """Return the finite numbers of a file, separated by commas or by blanks.

    Args:
        path: The file; empty lines are skipped.
        columns: The column counts that the format allows, without gaps; an empty file has the
            smallest.

    Raises:
        InputError: A line has another column count, or something that is no finite number.
    """
    text = read_text(path)
    if not text.strip():
        return np.zeros((0, min(columns)))
    separator = "," if "," in text else None
    try:
        table = np.loadtxt(StringIO(text), delimiter=separator, comments=None, ndmin=2)
    except ValueError as error:
        raise _first_fault(path, text, separator, columns) or InputError(
            f"{path}: {error}"
        ) from error
    if table.shape[1] not in columns or not np.isfinite(table).all():
        raise _first_fault(path, text, separator, columns) or InputError(f"{path}: is malformed")
    return table


def line_of_row(path: Path, row: int) -> int:
    """Return the number, from 1, of the line that holds the given row of the table."""
    filled = (number for number, line in enumerate(read_text(path).splitlines(), 1) if line.strip())
    return next(number for position, number in enumerate(filled) if position == row)


def _first_fault(
    path: Path, text: str, separator: str | None, columns: Collection[int]
) -> InputError | None:
    wanted = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split(separator)
        if len(fields) not in columns or len(fields) != (wanted or len(fields)):
            expected = wanted or " to ".join(map(str, sorted({min(columns), max(columns)})))
            return InputError(
                f"{path}, line {number}: has {len(fields)} columns where {expected} belong"
            )
        wanted = len(fields)
        for field in fields:
            if not _is_finite_number(field):
                return InputError(f"{path}, line {number}: {field.strip()!r} is no finite number")
    return None


def _is_finite_number(field: str) -> bool:
    try:
        return bool(np.isfinite(float(field)))
    except ValueError:
        return False
