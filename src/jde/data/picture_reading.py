from pathlib import Path

import cv2
import numpy as np

from jde.imaging.picture_file import read_picture
from jde.structures.errors import InputError
from jde.structures.frame import Image
from jde.structures.letterbox import Size

JPEG_START = b"\xff\xd8"
FRAME_HEADERS = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers that are followed by the height and width of the picture."""

REDUCED_MODES = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}


def read_for_network(path: Path, network: Size | None) -> tuple[Image, Size]:
    """Return the RGB pixels of a picture file, and its width and height on disk.

    A JPEG file is decoded at a half, a quarter or an eighth of its size where that is still enough
    to fill `network` (width, height): the decoder then skips most of its work.

    Raises:
        InputError: The file is missing, can't be read or holds no picture.
    """
    if network is None:
        return _read_whole(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from error
    size = jpeg_size(content)
    factor = _reduction(size, network) if size else 1
    if not size or factor == 1:
        return _read_whole(path)
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), REDUCED_MODES[factor])
    if decoded is None:
        raise InputError(f"{path}: is no picture or is damaged; remove or replace it")
    # The decoder turns pictures upright as their EXIF entry says; the header does not.
    turned = (decoded.shape[1] > decoded.shape[0]) != (size[0] > size[1])
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), size[::-1] if turned else size


def jpeg_size(content: bytes) -> Size | None:
    """Return width and height from the header of a JPEG file; None where there is none."""
    if not content.startswith(JPEG_START):
        return None
    position = len(JPEG_START)
    while position + 9 <= len(content) and content[position] == 0xFF:  # noqa: PLR2004 (marker)
        if content[position + 1] in FRAME_HEADERS:
            height = int.from_bytes(content[position + 5 : position + 7], "big")
            width = int.from_bytes(content[position + 7 : position + 9], "big")
            return (width, height) if width and height else None
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return None


def _read_whole(path: Path) -> tuple[Image, Size]:
    image = read_picture(path)
    return image, (image.shape[1], image.shape[0])


def _reduction(size: Size, network: Size) -> int:
    # Which way up the picture is, only the decoder knows: take the way that keeps more pixels.
    upright = min(network[0] / size[0], network[1] / size[1])
    turned = min(network[0] / size[1], network[1] / size[0])
    return next((factor for factor in REDUCED_MODES if max(upright, turned) * factor <= 1), 1)
