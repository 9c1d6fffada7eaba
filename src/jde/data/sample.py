from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64

from jde.structures.frame import Image

UNKNOWN_IDENTITY = -1
"""A person whose identity nobody annotated: trains the detector, not the embedding."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The people annotated in one picture.

    Attributes:
        boxes: Corner boxes in pixels of the picture; they may reach beyond it.
        identities: Identity of each person, counted from 0 within a source; -1 where unknown.
        classes: Number of the class of each; 0 for all where none is given.
    """

    boxes: Float32[np.ndarray, "n 4"]
    identities: Int64[np.ndarray, " n"]
    classes: Int64[np.ndarray, " k"] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if not len(self.classes):
            object.__setattr__(self, "classes", np.zeros(len(self.boxes), np.int64))
        rows = [len(self.boxes), len(self.identities), len(self.classes)]
        if len(set(rows)) != 1:
            raise ValueError(
                "boxes, identities and classes must have one row per person, got "
                f"{rows[0]}, {rows[1]} and {rows[2]}"
            )

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> "Labels":
        """Return the labels of a picture without people."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))

    def where(self, keep: Bool[np.ndarray, " n"]) -> "Labels":
        """Return the people for whom `keep` is true."""
        return type(self)(self.boxes[keep], self.identities[keep], self.classes[keep])


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture with the people in it.

    Attributes:
        image: RGB pixels.
        labels: Who stands where, in pixels of `image`.
        path: The picture file; for drawn pictures a name that tells which one it is.
    """

    image: Image
    labels: Labels
    path: Path


@runtime_checkable
class Lender(Protocol):
    """A source that names its identities, as the cut-outs of these people are called."""

    @property
    def identity_names(self) -> tuple[str, ...]:
        """One name for each identity, or none at all."""
        ...


@runtime_checkable
class Borrower(Protocol):
    """A source that shows people of other sources again."""

    @property
    def borrowed_names(self) -> tuple[str, ...]:
        """One name for each identity: where another source has it, both show one person."""
        ...


@runtime_checkable
class Source(Protocol):
    """Labelled pictures that can be asked for in any order, from several processes."""

    @property
    def name(self) -> str:
        """What reports and error messages call the source."""
        ...

    @property
    def identity_count(self) -> int:
        """Number of identities: labels hold values below it."""
        ...

    def __len__(self) -> int: ...

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Return picture `index`; sources that draw their pictures take all chance from `rng`."""
        ...
