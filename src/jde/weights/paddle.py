"""PaddleDetection's checkpoints (.pdparams): a pickled dictionary of NumPy arrays."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from jde.formats.draft import replacing
from jde.structures.errors import InputError
from jde.weights.checkpoint import Checkpoint
from jde.weights.conversion import to_theirs
from jde.weights.pickled import Builder, PickleReader, Span, as_text
from jde.weights.weight_file import DamagedError, Shape, StoredTensor, WeightFile

INTERNAL_NAMES = "StructuredToParameterName@@"
"""Entry with the names that Paddle gives tensors inside; not needed to load them."""

SPLIT_TENSORS = "UnpackBigParamInfor@@"
"""Entry that old protocols add where a tensor is above 1 GiB; JDE has none."""

DTYPES = {
    "f2": torch.float16,
    "f4": torch.float32,
    "f8": torch.float64,
    "i1": torch.int8,
    "i2": torch.int16,
    "i4": torch.int32,
    "i8": torch.int64,
    "u1": torch.uint8,
    "b1": torch.bool,
}
MAX_AXES = 8


@dataclass(slots=True)
class NumberKind:
    """A `numpy.dtype` on its way out of a pickle."""

    code: Any
    order: str = "<"

    def complete(self, state: Any) -> None:
        """Take the byte order, the second entry of the state."""
        self.order = as_text(state[1])

    def resolve(self) -> torch.dtype:
        """Return PyTorch's name of it.

        Raises:
            DamagedError: It isn't a plain little-endian number.
        """
        if self.order not in {"<", "|", "="}:
            raise DamagedError("numbers are stored backwards")
        return DTYPES[as_text(self.code)]


@dataclass(slots=True)
class Array:
    """A `numpy.ndarray` on its way out of a pickle."""

    shape: Shape = ()
    kind: NumberKind = field(default_factory=lambda: NumberKind("f4"))
    content: Any = b""
    is_column_major: bool = False

    def complete(self, state: Any) -> None:
        """Take version, shape, kind, order and content."""
        _, self.shape, self.kind, self.is_column_major, self.content = state


@dataclass(frozen=True, slots=True)
class Latin:
    """Bytes that protocol 2 stores as text of the Latin alphabet."""

    text: Any


def build_from_buffer(content: Any, kind: Any, shape: Any, order: Any) -> Array:
    """Return the array of protocol 5, whose content comes first."""
    return Array(shape, kind, content, order == "F")


def encode(text: Any, alphabet: Any) -> Any:
    """Return the bytes behind a text; long ones stay in the file.

    Raises:
        DamagedError: It is another alphabet than NumPy uses.
    """
    if as_text(alphabet) not in {"latin1", "latin-1"}:
        raise DamagedError
    return Latin(text) if isinstance(text, Span) else text.encode("latin-1")


ALLOWED: Mapping[str, Any] = {
    "numpy.ndarray": None,
    "numpy.dtype": Builder(lambda code, *_rest: NumberKind(code)),
    "_codecs.encode": Builder(encode),
    # How protocol 2 spells empty bytes.
    "__builtin__.bytes": Builder(lambda: b""),
    **{
        f"numpy.{core}.multiarray._reconstruct": Builder(lambda *_: Array())
        for core in ("core", "_core")
    },
    **{f"numpy.{core}.multiarray.scalar": Builder(lambda *_: None) for core in ("core", "_core")},
    **{
        f"numpy.{core}.numeric._frombuffer": Builder(build_from_buffer)
        for core in ("core", "_core")
    },
}


def read_paddle(file: WeightFile) -> dict[str, StoredTensor]:
    """Return the tensors by PaddleDetection's names.

    Raises:
        InputError: The file is damaged, asks to run code, or holds no weights.
    """
    with file.trusting():
        value = PickleReader(file, ALLOWED).load()
        if not isinstance(value, dict):
            raise DamagedError("no dictionary")
        if SPLIT_TENSORS in value:
            raise InputError(f"{file.path}: holds a tensor above 1 GiB, which no JDE network has")
        stored = {
            name: place_array(array, file)
            for name, array in value.items()
            if isinstance(name, str) and isinstance(array, Array)
        }
    if not stored:
        raise InputError(f"{file.path}: holds no weights: no arrays in its dictionary")
    return stored


def place_array(array: Array, file: WeightFile) -> StoredTensor:
    """Return the tensor of an array.

    Raises:
        DamagedError: Shape and content contradict each other.
    """
    shape, dtype = array.shape, array.kind.resolve()
    if not isinstance(shape, tuple) or len(shape) > MAX_AXES:
        raise DamagedError
    if any(not isinstance(length, int) or length < 0 for length in shape):
        raise DamagedError
    length = math.prod(shape) * dtype.itemsize
    content = array.content
    if isinstance(content, bytes | Span) and len_of(content) != length:
        raise DamagedError(f"shape {shape} doesn't fit its {len_of(content)} bytes")
    stored = shape[::-1] if array.is_column_major else shape

    def load() -> Tensor:
        if isinstance(content, Span) and not content.is_text:
            values = file.tensor(content.offset, dtype, stored)
        else:
            values = from_bytes(read_bytes(content, length, file), dtype, stored)
        if array.is_column_major:
            values = values.permute(*range(values.ndim)[::-1]).contiguous()
        return values

    return StoredTensor(shape, dtype, load)


def len_of(content: bytes | Span) -> int:
    """Return the number of bytes."""
    return content.length if isinstance(content, Span) else len(content)


def read_bytes(content: Any, length: int, file: WeightFile) -> bytes:
    """Return the bytes of an array that its shape says to be `length`.

    Raises:
        InputError: There are more or fewer, or the content is no bytes.
    """
    with file.trusting():
        if isinstance(content, Latin) and content.text.length <= 2 * length:
            content = file.read(content.text.offset, content.text.length).decode().encode("latin-1")
        if not isinstance(content, bytes) or len(content) != length:
            raise DamagedError("an array whose shape doesn't fit its bytes")
        return content


def from_bytes(content: bytes, dtype: torch.dtype, shape: Shape) -> Tensor:
    """Return the numbers that little-endian bytes spell."""
    if not content:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(content), dtype=dtype).reshape(shape)


def write_paddle(path: Path, checkpoint: Checkpoint) -> None:
    """Write PaddleDetection's layout, as any NumPy from 1.16 on reads it.

    The instructions are spelled out because NumPy 2 would name modules that NumPy 1 lacks.

    Raises:
        InputError: The network isn't the published one.
    """
    tensors = to_theirs(checkpoint, "paddle")
    with replacing(path) as draft, draft.open("wb") as file:
        file.write(b"\x80\x03}(")
        for name, tensor in tensors.items():
            file.write(spell_text(name))
            write_array(file, tensor)
        file.write(spell_text(INTERNAL_NAMES) + b"}u.")


def write_array(file: BinaryIO, tensor: Tensor) -> None:
    """Write the instructions that build a float32 array."""
    file.write(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R")
    lengths = b"".join(b"J" + struct.pack("<i", length) for length in tensor.shape)
    file.write(b"(K\x01(" + lengths + b"t")
    kind = b"cnumpy\ndtype\n" + spell_text("f4") + b"K\x00K\x01\x87R"
    state = b"(K\x03" + spell_text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    content = tensor.numpy().tobytes()
    file.write(kind + state + b"\x89B" + struct.pack("<I", len(content)))
    file.write(content)
    file.write(b"tb")


def spell_text(text: str) -> bytes:
    """Return the instruction that pushes a text."""
    encoded = text.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded
