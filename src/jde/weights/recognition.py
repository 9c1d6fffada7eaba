"""Which format a weight file has: by its content, whatever its name."""

from typing import Literal

from jde.structures.errors import InputError
from jde.weights.darknet import is_darknet_size
from jde.weights.weight_file import WeightFile
from jde.weights.zhongdao import LEGACY_MAGIC, ZIP_START

Format = Literal["native", "zhongdao", "paddle", "mindspore", "darknet"]

HEAD = 64
PICKLE_START = 0x80
LEGACY_START = b"\x8a\x0a" + LEGACY_MAGIC.to_bytes(10, "little")
"""What a file of PyTorch before 1.6 holds behind the first two bytes."""

MINDSPORE_RECORD, MINDSPORE_NAME = 0x0A, 0x0A
MAX_VARINT_BYTES = 10

OTHERS = {
    b"<!DOC": "a web page: the download gave a page instead of the weights",
    b"<html": "a web page: the download gave a page instead of the weights",
    b"version https://git-lfs": "a Git LFS pointer: run 'git lfs pull' to fetch the weights",
    b"\x1f\x8b": "compressed with gzip: unpack it first",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"\x89HDF": "HDF5, which no JDE weights are",
}
"""What a file may be instead, by how it begins."""


def recognise(file: WeightFile) -> Format:
    """Return the format of a weight file.

    Raises:
        InputError: It is none that is known; the message says what it may be.
    """
    if file.size == 0:
        raise InputError(f"{file.path}: the file is empty; fetch it again")
    head = file.read(0, min(HEAD, file.size))
    if is_native(head, file.size):
        return "native"
    if head.startswith(ZIP_START):
        return "zhongdao"
    if head[0] == PICKLE_START:
        return "zhongdao" if head[2:].startswith(LEGACY_START) else "paddle"
    if is_mindspore(head, file.size):
        return "mindspore"
    if is_darknet_size(file.size):
        return "darknet"
    raise unknown(head, file)


def is_native(head: bytes, size: int) -> bool:
    """Return whether a file begins with the length of a JSON header, and that header."""
    length = int.from_bytes(head[:8], "little")
    return head[8:9] == b"{" and length <= size


def is_mindspore(head: bytes, size: int) -> bool:
    """Return whether a file begins with a record that begins with a name."""
    if head[0] != MINDSPORE_RECORD:
        return False
    length, shift = 0, 0
    for position, byte in enumerate(head[1 : 1 + MAX_VARINT_BYTES], start=2):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 (the highest bit says that more follow)
            return 0 < length <= size and head[position : position + 1] == bytes([MINDSPORE_NAME])
    return False


def unknown(head: bytes, file: WeightFile) -> InputError:
    """Return the error of a file that holds no weights that are known."""
    for start, what in OTHERS.items():
        if head.lstrip().lower().startswith(start.lower()):
            return InputError(f"{file.path}: not weights but {what}")
    shown = head[:8].hex(" ")
    return InputError(
        f"{file.path}: not a weight file: {file.size} bytes that begin with {shown} are neither "
        "safetensors, .pt, .pdparams, .ckpt nor Darknet weights"
    )
