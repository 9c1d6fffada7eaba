"""Bounded reading: nothing is allocated that the file doesn't hold."""

import math
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from jde.structures.closing import Closing
from jde.structures.errors import InputError

Shape = tuple[int, ...]

MESSAGE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor that still lies in its file.

    Attributes:
        shape: Length of each axis, as the file declares it.
        dtype: Kind of its numbers.
        load: Reads it; raises `InputError` where the file is too short.
    """

    shape: Shape
    dtype: torch.dtype
    load: Callable[[], Tensor]


class DamagedError(Exception):
    """A file contradicts itself; whoever knows its name makes this an `InputError`."""


MISREADINGS = (
    AttributeError,
    DamagedError,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
)
"""What a damaged file makes of the steps of a reader that trusts it."""


class WeightFile(Closing):
    """A file that is read piece by piece.

    Attributes:
        path: Where it lies.
        size: Its length in bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = path.open("rb")
        self.size = self._handle.seek(0, 2)

    def close(self) -> None:
        """Let go of the file."""
        self._handle.close()

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on.

        Raises:
            InputError: The file ends before that.
        """
        self._check(offset, length)
        self._handle.seek(offset)
        return self._handle.read(length)

    def tensor(self, offset: int, dtype: torch.dtype, shape: Shape) -> Tensor:
        """Return the little-endian numbers from `offset` on, row by row.

        Raises:
            InputError: The file ends before that.
        """
        length = math.prod(shape) * dtype.itemsize
        self._check(offset, length)
        values = torch.empty(math.prod(shape), dtype=dtype)
        self._handle.seek(offset)
        if length:
            self._handle.readinto(values.view(torch.uint8).numpy().data)
        return values.reshape(shape)

    def stored(self, offset: int, dtype: torch.dtype, shape: Shape) -> StoredTensor:
        """Return a tensor that is read when it is asked for."""
        return StoredTensor(shape, dtype, lambda: self.tensor(offset, dtype, shape))

    @contextmanager
    def trusting(self) -> Iterator[None]:
        """Turn whatever damage makes of the steps inside into one `InputError`."""
        try:
            yield
        except InputError:
            raise
        except MISREADINGS as error:
            words = " ".join([type(error).__name__, *str(error).split()])
            raise self.damaged(words[:MESSAGE_LENGTH]) from error

    def damaged(self, what: str) -> InputError:
        """Return the error of a file that contradicts itself."""
        return InputError(f"{self.path}: damaged weight file ({what}); fetch it again")

    def _check(self, offset: int, length: int) -> None:
        if length < 0 or offset < 0 or offset + length > self.size:
            raise self.damaged(
                f"bytes {offset} to {offset + length} are missing, the file has {self.size}"
            )
