"""Finding the files of an official download and saying clearly what is not there."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jde.formats.number_table import read_text
from jde.imaging.picture_file import PICTURE_SUFFIXES
from jde.structures.errors import InputError


def missing(path: Path, expected: str) -> InputError:
    """Return the error for something absent; `expected` describes the whole layout."""
    return InputError(f"{path}: not found; expected {expected}")


def existing(path: Path, expected: str) -> Path:
    """Return `path` if it exists.

    Raises:
        InputError: It doesn't; the message says which layout is expected.
    """
    if not path.exists():
        raise missing(path, expected)
    return path


def find(raw: Path, pattern: str, expected: str) -> list[Path]:
    """Return the files below `raw` that match, in the order of their paths.

    Raises:
        InputError: There is none; the message says which layout is expected.
    """
    if not (found := sorted(existing(raw, expected).rglob(pattern))):
        raise missing(raw / pattern, expected)
    return found


def pictures_below(folder: Path) -> list[Path]:
    """Return the picture files below a folder in the order of their paths."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES)


def by_name(pictures: Iterable[Path]) -> dict[str, Path]:
    """Return the picture files by their names without folders."""
    return {path.name: path for path in pictures}


def picture_named(pictures: dict[str, Path], name: str, mentioned_in: Path) -> Path:
    """Return the picture of that name.

    Raises:
        InputError: There is none.
    """
    if name not in pictures:
        raise InputError(
            f"{mentioned_in}: the picture {name} it mentions is missing; "
            "unpack all picture archives of the set beside it"
        )
    return pictures[name]


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        InputError: The file can't be read or is no JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: is no JSON ({error.msg})") from error
