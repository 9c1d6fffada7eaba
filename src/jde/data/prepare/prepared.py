"""What every reader of a public set yields and what it may be asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from jde.structures.letterbox import Size

UNKNOWN = -1
"""Identity of a person whom the set does not tell from others."""

Part = Literal["train", "val"]


class Person(NamedTuple):
    """A box in pixels of the picture, from its left upper corner, and whose it is."""

    identity: int
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """A labelled picture of a set, before anything is written.

    Attributes:
        source: Picture file, or the encoded picture where the set keeps it in a container.
        name: Path of the picture below the data root, with a folder `images` in it.
        people: The people in the picture.
        part: List in which the picture belongs.
        size: Width and height where the annotations state them; they must agree with the file.
        relative: Whether the boxes are shares of the picture's width and height, not pixels.
    """

    source: Path | bytes
    name: str
    people: Sequence[Person]
    part: Part = "train"
    size: Size | None = None
    relative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to take of a set and where to put it.

    Attributes:
        folder: Folder of the set below the data root.
        classes: Names or numbers of the classes that count as a person; empty for the set's own.
        held_out: Names of sequences or videos that go into the validation list.
    """

    folder: str
    classes: Sequence[str] = ()
    held_out: Sequence[str] = field(default_factory=tuple)

    def part(self, sequence: str) -> Part:
        """Return the list in which a sequence belongs."""
        return "val" if sequence in self.held_out else "train"


SetReader = Callable[[Path, Selection], Iterator[PreparedPicture]]
"""Reads the official layout below a folder, without changing it."""
