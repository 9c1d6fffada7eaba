"""Norpix `.seq` files, as Caltech Pedestrian has them: JPEG pictures one after another."""

import struct
from collections.abc import Iterator
from pathlib import Path

from jde.structures.errors import InputError

MAGIC = 0xFEED
HEADER_BYTES = 1024
FRAME_COUNT_AT = 572
LENGTH_BYTES = 4
JPEG_START = b"\xff\xd8"
GAPS = (8, 16, 6, 4, 0)
"""Bytes of the time stamp after a picture: they differ between recorders and versions."""


def read_seq(path: Path) -> Iterator[bytes]:
    """Yield the JPEG pictures of a `.seq` file as they are stored.

    Raises:
        InputError: The file can't be read, is no such container or ends within a picture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from error
    if len(content) < HEADER_BYTES or struct.unpack_from("<I", content)[0] != MAGIC:
        raise InputError(f"{path}: is no Norpix .seq file")
    (frames,) = struct.unpack_from("<I", content, FRAME_COUNT_AT)
    position, gap = HEADER_BYTES, GAPS[0]
    for frame in range(frames):
        if frame:
            gap = _gap(content, position, gap)
            position += gap
        end = position + _length(content, position)
        if not _is_picture(content, position) or end > len(content):
            raise InputError(
                f"{path}: picture {frame + 1} of {frames} is cut off or no JPEG; "
                "download the file again"
            )
        yield content[position + LENGTH_BYTES : end]
        position = end


def _length(content: bytes, position: int) -> int:
    """Return the bytes of a record: its length field and the picture."""
    if position + LENGTH_BYTES > len(content):
        return len(content)
    return int(struct.unpack_from("<I", content, position)[0])


def _is_picture(content: bytes, position: int) -> bool:
    start = position + LENGTH_BYTES
    return content[start : start + len(JPEG_START)] == JPEG_START


def _gap(content: bytes, position: int, last: int) -> int:
    return next((gap for gap in (last, *GAPS) if _is_picture(content, position + gap)), last)
