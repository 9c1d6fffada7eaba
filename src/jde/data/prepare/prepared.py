"""What every reader of a public set yields and what it may be asked for."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from jde.structures.letterbox import Size

UNKNOWN = -1
"""Identity of a person whom the set does not tell from others."""

Part = Literal["train", "val"]


class Person(NamedTuple):
    """A box in pixels of the picture, from its left upper corner, whose and of what class it is."""

    identity: int
    left: float
    top: float
    width: float
    height: float
    kind: int = 0

    @classmethod
    def of(cls, identity: int, box: Iterable[float], kind: int = 0) -> "Person":
        """Return somebody whose box is given as left, top, width and height."""
        left, top, width, height = box
        return cls(identity, left, top, width, height, kind)


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
        keep_classes: Number the classes in the order of `classes`; else all are class 0.
        held_out: Names of sequences or videos that go into the validation list.
    """

    folder: str
    classes: Sequence[str] = ()
    keep_classes: bool = False
    held_out: Sequence[str] = field(default_factory=tuple)

    def kinds(self, default: Collection[str]) -> dict[str, int]:
        """Return the number to write for each name or number of a class to take, in lower case."""
        names = [name.lower() for name in self.classes] or list(default)
        return {name: place if self.keep_classes else 0 for place, name in enumerate(names)}

    def part(self, sequence: str) -> Part:
        """Return the list in which a sequence belongs."""
        return "val" if sequence in self.held_out else "train"


SetReader = Callable[[Path, Selection], Iterator[PreparedPicture]]
"""Reads the official layout below a folder, without changing it."""
