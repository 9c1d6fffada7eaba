from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from jde.structures.letterbox import Size

Image = UInt8[np.ndarray, "_ _ 3"]
"""A picture (height, width, 3): RGB, 8 bits a channel, row by row from the top."""


@runtime_checkable
class Picture(Protocol):
    """A picture that makes its pixels when they are asked for."""

    @property
    def size(self) -> Size:
        """Width and height."""
        ...

    def whole(self) -> Image:
        """Return all its pixels; they are made once."""
        ...

    def scaled_down(self, size: Size) -> Image:
        """Return it at a smaller size, each pixel the average of the area it covers."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a video.

    Attributes:
        picture: What the source gave: pixels, or a picture that makes them on demand.
        index: Position in the source, counted from 1.
        seconds: Time of presentation since the start of the source.
    """

    picture: Image | Picture
    index: int
    seconds: float

    @property
    def image(self) -> Image:
        """RGB pixels, upright."""
        return pixels_of(self.picture)


def size_of(picture: Image | Picture) -> Size:
    """Return width and height."""
    if isinstance(picture, np.ndarray):
        return picture.shape[1], picture.shape[0]
    return picture.size


def pixels_of(picture: Image | Picture) -> Image:
    """Return all pixels."""
    return picture if isinstance(picture, np.ndarray) else picture.whole()
