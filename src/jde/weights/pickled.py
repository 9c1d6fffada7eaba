"""A pickle read as data: an interpreter that can't run what a pickle asks for.

Python's own unpickler calls whatever a file names. This one knows only the instructions that saved
weights are made of, builds only the values of an allow-list, leaves large byte strings in the file,
and stops after a fixed number of instructions.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jde.structures.errors import InputError
from jde.weights.weight_file import DamagedError, WeightFile

MAX_INSTRUCTIONS = 200_000
"""Far more than any checkpoint needs; bounds the memory that small values can take."""

LONG_STRING = 4096
"""Byte strings from this length on stay in the file until they are wanted."""

MAX_INTEGER_BYTES = 64
NAME_LENGTH = 80

Key = str | int | float | None


@dataclass(frozen=True, slots=True)
class Span:
    """A byte string that still lies in the file; `is_text` where it is stored as UTF-8 text."""

    offset: int
    length: int
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Builder:
    """An entry of an allow-list that may be called, and what it really does."""

    build: Callable[..., Any]


class Mark:
    """Where the arguments of an instruction begin on the stack."""


MARK = Mark()


class PickleReader:
    """Interprets pickles of protocols 2 to 5 in a part of a file.

    Args:
        file: Holds the pickles.
        allowed: Values by the full name that pickles may refer to, such as `numpy.dtype`; those
            that may be called are `Builder`s.
        recall: Turns the persistent identity of an outside object into a value.
        start: Where the first pickle begins.
        end: Where the part ends; the end of the file by default.
    """

    def __init__(
        self,
        file: WeightFile,
        allowed: Mapping[str, Any],
        *,
        recall: Callable[[Any], Any] | None = None,
        start: int = 0,
        end: int | None = None,
    ) -> None:
        self.position = start
        self._file = file
        self._end = file.size if end is None else end
        self._allowed = allowed
        self._recall = recall
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def load(self) -> Any:
        """Return the value of the next pickle and move behind it.

        Raises:
            InputError: It is damaged, or asks for something outside the allow-list.
        """
        self._stack, self._memo = [], {}
        with self._file.trusting():
            for _ in range(MAX_INSTRUCTIONS):
                code = self.take(1)[0]
                if code == ord("."):
                    return self.pop()
                STEPS[code](self)
        raise self._file.damaged("too many pickle instructions")

    def take(self, length: int) -> bytes:
        """Return the next bytes and move behind them."""
        if not 0 <= length <= self._end - self.position:
            raise DamagedError
        self.position += length
        return self._file.read(self.position - length, length)

    def number(self, layout: str) -> Any:
        """Return the next number of a `struct` layout."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self) -> str:
        """Return the text up to the next line break."""
        line = bytearray()
        while (letter := self.take(1)) != b"\n":
            line += letter
            if len(line) > LONG_STRING:
                raise DamagedError
        return line.decode()

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self._stack.append(value)

    def pop(self) -> Any:
        """Take the top of the stack."""
        return self._stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """Return what was pushed since the last mark."""
        position = len(self._stack) - 1
        while not isinstance(self._stack[position], Mark):
            position -= 1
            if position < 0:
                raise DamagedError
        values = self._stack[position + 1 :]
        del self._stack[position:]
        return values

    def push_bytes(self, layout: str) -> None:
        """Push a byte string whose length comes first."""
        length = self.number(layout)
        self.push(self._span(length, is_text=False) if length >= LONG_STRING else self.take(length))

    def push_text(self, layout: str) -> None:
        """Push a text whose length in bytes comes first."""
        length = self.number(layout)
        if length >= LONG_STRING:
            self.push(self._span(length, is_text=True))
        else:
            self.push(self.take(length).decode("utf-8", "surrogatepass"))

    def _span(self, length: int, *, is_text: bool) -> Span:
        if length > self._end - self.position:
            raise DamagedError
        self.position += length
        return Span(self.position - length, length, is_text)

    def push_integer(self, length: int) -> None:
        """Push a signed integer of `length` bytes."""
        if length > MAX_INTEGER_BYTES:
            raise DamagedError
        self.push(int.from_bytes(self.take(length), "little", signed=True))

    def push_tuple(self, length: int) -> None:
        """Push the last `length` values as a tuple."""
        if len(self._stack) < length:
            raise DamagedError
        values = self._stack[len(self._stack) - length :]
        del self._stack[len(self._stack) - length :]
        self.push(tuple(values))

    def append(self, values: list[Any]) -> None:
        """Add values to the list on top of the stack."""
        target = self._stack[-1]
        if not isinstance(target, list):
            raise DamagedError
        target.extend(values)

    def set_items(self, values: list[Any]) -> None:
        """Add keys and values, in turn, to the dictionary on top of the stack."""
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise DamagedError
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[plain_key(key)] = value

    def push_named(self, module: Any, name: Any) -> None:
        """Push what the allow-list holds under a name.

        Raises:
            InputError: The allow-list doesn't have it.
        """
        if not (isinstance(module, str) and isinstance(name, str)):
            raise DamagedError
        full = f"{module}.{name}"
        if full not in self._allowed:
            raise InputError(
                f"{self._file.path}: refused, it asks for {full[:NAME_LENGTH]!r}, which no weights "
                "need; it may be made to run code: get the weights from a source you trust"
            )
        self.push(self._allowed[full])

    def reduce(self) -> None:
        """Replace a builder and its arguments by what it builds."""
        arguments, builder = self._stack.pop(), self._stack.pop()
        if not (isinstance(builder, Builder) and isinstance(arguments, tuple)):
            raise DamagedError
        self.push(builder.build(*arguments))

    def complete(self) -> None:
        """Hand a state to the value below it, where that wants one."""
        state, target = self._stack.pop(), self._stack[-1]
        if hasattr(target, "complete"):
            target.complete(state)
        elif not isinstance(target, dict):
            raise DamagedError

    def remember(self, key: int) -> None:
        """Keep the top of the stack for later."""
        self._memo[key] = self._stack[-1]

    def remember_next(self) -> None:
        """Keep the top of the stack under the next free key."""
        self.remember(len(self._memo))

    def repeat(self, key: int) -> None:
        """Push what was kept."""
        self.push(self._memo[key])

    def recall_outside(self) -> None:
        """Replace a persistent identity by what it stands for."""
        if self._recall is None:
            raise DamagedError
        self.push(self._recall(self._stack.pop()))


STEPS: dict[int, Callable[[PickleReader], Any]] = {
    # Frames and versions only announce; the length of a frame isn't needed.
    0x80: lambda reader: reader.take(1),
    0x95: lambda reader: reader.take(8),
    # Constants.
    ord("N"): lambda reader: reader.push(None),
    0x88: lambda reader: reader.push(True),  # noqa: FBT003 (the value itself)
    0x89: lambda reader: reader.push(False),  # noqa: FBT003 (the value itself)
    ord("J"): lambda reader: reader.push(reader.number("<i")),
    ord("K"): lambda reader: reader.push(reader.number("<B")),
    ord("M"): lambda reader: reader.push(reader.number("<H")),
    0x8A: lambda reader: reader.push_integer(reader.number("<B")),
    0x8B: lambda reader: reader.push_integer(reader.number("<I")),
    ord("G"): lambda reader: reader.push(reader.number(">d")),
    # Text, and bytes, which Python 2 called strings.
    0x8C: lambda reader: reader.push_text("<B"),
    ord("X"): lambda reader: reader.push_text("<I"),
    0x8D: lambda reader: reader.push_text("<Q"),
    ord("U"): lambda reader: reader.push_bytes("<B"),
    ord("T"): lambda reader: reader.push_bytes("<I"),
    ord("C"): lambda reader: reader.push_bytes("<B"),
    ord("B"): lambda reader: reader.push_bytes("<I"),
    0x8E: lambda reader: reader.push_bytes("<Q"),
    0x96: lambda reader: reader.push_bytes("<Q"),
    # Containers.
    ord("("): lambda reader: reader.push(MARK),
    ord("0"): lambda reader: reader.pop(),
    ord("1"): lambda reader: reader.pop_to_mark(),
    ord(")"): lambda reader: reader.push(()),
    ord("]"): lambda reader: reader.push([]),
    ord("}"): lambda reader: reader.push({}),
    ord("t"): lambda reader: reader.push(tuple(reader.pop_to_mark())),
    0x85: lambda reader: reader.push_tuple(1),
    0x86: lambda reader: reader.push_tuple(2),
    0x87: lambda reader: reader.push_tuple(3),
    ord("a"): lambda reader: reader.append([reader.pop()]),
    ord("e"): lambda reader: reader.append(reader.pop_to_mark()),
    ord("s"): lambda reader: reader.set_items(reversed_pair(reader.pop(), reader.pop())),
    ord("u"): lambda reader: reader.set_items(reader.pop_to_mark()),
    # Memory.
    ord("q"): lambda reader: reader.remember(reader.number("<B")),
    ord("r"): lambda reader: reader.remember(reader.number("<I")),
    0x94: lambda reader: reader.remember_next(),
    ord("h"): lambda reader: reader.repeat(reader.number("<B")),
    ord("j"): lambda reader: reader.repeat(reader.number("<I")),
    # Objects, all of them from the allow-list.
    ord("c"): lambda reader: reader.push_named(reader.line(), reader.line()),
    0x93: lambda reader: reader.push_named(*reversed_pair(reader.pop(), reader.pop())),
    ord("R"): lambda reader: reader.reduce(),
    ord("b"): lambda reader: reader.complete(),
    ord("Q"): lambda reader: reader.recall_outside(),
}
"""What each instruction does, by its code (Python's `pickletools` names them all)."""


def reversed_pair(second: Any, first: Any) -> list[Any]:
    """Return two values in the order in which they were pushed."""
    return [first, second]


def plain_key(key: Any) -> Key:
    """Return a key of a dictionary.

    Raises:
        DamagedError: It is of a kind, such as a deep tuple, that may exhaust the stack when hashed.
    """
    if not isinstance(key, Key):
        raise DamagedError
    return key


def as_text(value: Any) -> str:
    """Return a text, which Python 2 stored as bytes.

    Raises:
        DamagedError: It is no text.
    """
    text = value.decode() if isinstance(value, bytes) else value
    if not isinstance(text, str):
        raise DamagedError
    return text
