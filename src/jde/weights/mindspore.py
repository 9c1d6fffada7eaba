"""MindSpore's checkpoints (.ckpt): protocol buffers, read and written without MindSpore.

`Checkpoint { repeated Value value = 1 }`, `Value { string tag = 1; TensorProto tensor = 2 }`,
`TensorProto { repeated int64 dims = 1; string tensor_type = 2; bytes tensor_content = 3 }`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import torch
from torch import Tensor

from jde.formats.draft import replacing
from jde.structures.errors import InputError
from jde.weights.checkpoint import Checkpoint
from jde.weights.conversion import to_theirs
from jde.weights.weight_file import DamagedError, Shape, StoredTensor, WeightFile

DTYPES = {
    "Float32": torch.float32,
    "Float16": torch.float16,
    "BFloat16": torch.bfloat16,
    "Float64": torch.float64,
    "Int8": torch.int8,
    "Int16": torch.int16,
    "Int32": torch.int32,
    "Int64": torch.int64,
    "UInt8": torch.uint8,
    "Bool": torch.bool,
}
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED_LENGTHS = {FIXED64: 8, FIXED32: 4}
MAX_VARINT_BYTES = 10
MAX_AXES = 8
MAX_FIELDS = 1_000_000
"""Far more than any checkpoint needs; bounds the memory that small fields can take."""

CHECKSUM_MARK = b"crc_num"
CHECKSUM_BYTES = 10
"""What follows the mark at the end of a file that was written with a checksum."""

TEXT_LENGTH = 1024


class Field(NamedTuple):
    """One field of a message: a whole number, or a run of bytes in the file."""

    number: int
    kind: int
    value: int
    """The number, or where the bytes begin."""
    length: int


@dataclass(frozen=True, slots=True)
class Part:
    """The numbers of one record; tensors above 512 MiB come in several."""

    shape: Shape
    dtype: torch.dtype
    offset: int
    length: int


class FieldReader:
    """Reads fields of a file one after the other, and counts them."""

    def __init__(self, file: WeightFile) -> None:
        self._file = file
        self._count = 0

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Return the fields between two places of the file.

        Raises:
            DamagedError: The bytes there are no fields.
        """
        position = start
        while position < end:
            self._count += 1
            if self._count > MAX_FIELDS:
                raise DamagedError("too many fields")
            key, position = self.varint(position, end)
            number, kind = key >> 3, key & 7
            value, length = position, FIXED_LENGTHS.get(kind, 0)
            if kind == BYTES:
                length, value = self.varint(position, end)
            elif kind == VARINT:
                value, position = self.varint(position, end)
            elif kind not in FIXED_LENGTHS:
                raise DamagedError("no protocol buffer")
            if kind != VARINT:
                position = value + length
            if position > end:
                raise DamagedError("a field is longer than its record")
            yield Field(number, kind, value, length)

    def varint(self, position: int, end: int) -> tuple[int, int]:
        """Return a whole number of variable length and the place behind it.

        Raises:
            DamagedError: It doesn't end.
        """
        data = self._file.read(position, max(0, min(MAX_VARINT_BYTES, end - position)))
        number = 0
        for count, byte in enumerate(data):
            number |= (byte & 0x7F) << (7 * count)
            if byte < 0x80:  # noqa: PLR2004 (the highest bit says that more follow)
                return number, position + count + 1
        raise DamagedError("a number without an end")

    def text(self, field: Field) -> str:
        """Return the text of a field.

        Raises:
            DamagedError: The field holds none.
        """
        if field.kind != BYTES or field.length > TEXT_LENGTH:
            raise DamagedError("a name that is none")
        return self._file.read(field.value, field.length).decode()


def read_mindspore(file: WeightFile) -> dict[str, StoredTensor]:
    """Return the tensors by MindSpore's names.

    Raises:
        InputError: The file is damaged or holds no weights.
    """
    with file.trusting():
        reader = FieldReader(file)
        parts: dict[str, list[Part]] = {}
        for record in reader.fields(0, find_end(file)):
            name, part = read_record(reader, record)
            if part is not None:
                parts.setdefault(name, []).append(part)
        stored = {name: join_parts(pieces, file) for name, pieces in parts.items()}
    if not stored:
        raise InputError(f"{file.path}: holds no weights: no tensors in its records")
    return stored


def find_end(file: WeightFile) -> int:
    """Return where the records end and a checksum, if any, begins."""
    trailer = len(CHECKSUM_MARK) + CHECKSUM_BYTES
    if file.size >= trailer:
        start = file.size - trailer
        if file.read(start, len(CHECKSUM_MARK)) == CHECKSUM_MARK:
            return start
    return file.size


def read_record(reader: FieldReader, record: Field) -> tuple[str, Part | None]:
    """Return name and numbers of one record; no numbers where it holds no plain tensor.

    Raises:
        DamagedError: It is no record of a checkpoint.
    """
    if record.number != 1 or record.kind != BYTES:
        raise DamagedError("no records of a checkpoint")
    name, part = "", None
    for field in reader.fields(record.value, record.value + record.length):
        if field.number == 1:
            name = reader.text(field)
        elif field.number == 2 and field.kind == BYTES:  # noqa: PLR2004 (of the schema)
            part = read_part(reader, field)
    return name, part


def read_part(reader: FieldReader, tensor: Field) -> Part | None:
    """Return the numbers of one tensor message; None for kinds that no network has, such as text.

    Raises:
        DamagedError: It is no tensor message.
    """
    shape: list[int] = []
    kind, offset, length = "", 0, 0
    for field in reader.fields(tensor.value, tensor.value + tensor.length):
        if field.number == 1:
            shape += read_lengths(reader, field)
        elif field.number == 2:  # noqa: PLR2004 (of the schema)
            kind = reader.text(field)
        elif field.number == 3 and field.kind == BYTES:  # noqa: PLR2004 (of the schema)
            offset, length = field.value, field.length
    if len(shape) > MAX_AXES:
        raise DamagedError("a tensor of too many axes")
    return Part(tuple(shape), DTYPES[kind], offset, length) if kind in DTYPES else None


def read_lengths(reader: FieldReader, field: Field) -> list[int]:
    """Return axis lengths, which come one by one or packed.

    Raises:
        DamagedError: There are too many.
    """
    if field.kind == VARINT:
        return [field.value]
    if field.kind != BYTES or field.length > MAX_AXES * MAX_VARINT_BYTES:
        raise DamagedError("axis lengths that are none")
    lengths, position, end = [], field.value, field.value + field.length
    while position < end:
        length, position = reader.varint(position, end)
        lengths.append(length)
    return lengths


def join_parts(parts: list[Part], file: WeightFile) -> StoredTensor:
    """Return the tensor of one or several records.

    Raises:
        DamagedError: Its parts don't fill its shape.
    """
    shape, dtype = parts[0].shape, parts[0].dtype
    size = sum(part.length for part in parts)
    if shape in {(0,), (1,)} and size == dtype.itemsize:
        # How old writers mark a single number.
        shape = (1,)
    if any(part.dtype != dtype for part in parts) or size != math.prod(shape) * dtype.itemsize:
        raise DamagedError(f"shape {shape} doesn't fit its {size} bytes")
    if any(part.length % dtype.itemsize for part in parts):
        raise DamagedError("a tensor is split inside a number")

    def load() -> Tensor:
        pieces = [
            file.tensor(part.offset, dtype, (part.length // dtype.itemsize,)) for part in parts
        ]
        return (pieces[0] if len(pieces) == 1 else torch.cat(pieces)).reshape(shape)

    return StoredTensor(shape, dtype, load)


def write_mindspore(path: Path, checkpoint: Checkpoint) -> None:
    """Write MindSpore's layout.

    Its program runs the backbone with plain ReLU and one-sided padding, whatever the weights were
    trained with.

    Raises:
        InputError: The network isn't the published one.
    """
    write_records(path, to_theirs(checkpoint, "mindspore"))


def write_records(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write float32 tensors as records of a checkpoint."""
    with replacing(path) as draft, draft.open("wb") as file:
        for name, tensor in tensors.items():
            write_record(file, name, tensor)


def write_record(file: BinaryIO, name: str, tensor: Tensor) -> None:
    """Write one record."""
    content = tensor.numpy().tobytes()
    lengths = b"".join(spell_varint(8) + spell_varint(length) for length in tensor.shape)
    head = lengths + spell_field(2, b"Float32") + spell_varint(3 << 3 | BYTES)
    head += spell_varint(len(content))
    tag = spell_field(1, name.encode()) + spell_varint(2 << 3 | BYTES)
    tag += spell_varint(len(head) + len(content))
    file.write(spell_varint(1 << 3 | BYTES) + spell_varint(len(tag) + len(head) + len(content)))
    file.write(tag + head)
    file.write(content)


def spell_field(number: int, content: bytes) -> bytes:
    """Return a field of bytes."""
    return spell_varint(number << 3 | BYTES) + spell_varint(len(content)) + content


def spell_varint(number: int) -> bytes:
    """Return a whole number in seven bits a byte, low ones first."""
    spelled = bytearray()
    while number > 0x7F:  # noqa: PLR2004 (seven bits)
        spelled.append(number & 0x7F | 0x80)
        number >>= 7
    spelled.append(number)
    return bytes(spelled)
