from pathlib import Path

import cv2
import numpy as np

from jde.structures.errors import InputError
from jde.structures.frame import Image

PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Names of files that count as pictures in a folder."""


def list_pictures(folder: Path) -> list[Path]:
    """Return the picture files of a folder in the order of their names."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    )


def spread_pictures(folder: Path, count: int) -> list[Path]:
    """Return at most `count` picture files of a folder, evenly from the first to the last."""
    paths = list_pictures(folder)
    return [paths[place] for place in spread(len(paths), count)]


def spread(length: int, count: int) -> list[int]:
    """Return at most `count` places of a row, evenly from the first to the last."""
    return np.linspace(0, length - 1, min(count, length)).round().astype(int).tolist()


def read_picture(path: Path) -> Image:
    """Return the RGB pixels of a picture file.

    Raises:
        InputError: The file is missing, can't be read or holds no picture.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from error
    decoded = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if decoded is None:
        raise InputError(f"{path}: is no picture or is damaged; remove or replace it")
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


def write_picture(path: Path, image: Image) -> None:
    """Write RGB pixels in the format that the suffix of `path` names.

    Raises:
        InputError: The file can't be written.
    """
    if not cv2.haveImageWriter(path.name):
        raise InputError(f"{path}: no picture format is called {path.suffix!r}; use .png or .jpg")
    _, content = cv2.imencode(path.suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    try:
        path.write_bytes(content.tobytes())
    except OSError as error:
        raise InputError(f"{path}: can't be written ({error.strerror})") from error
