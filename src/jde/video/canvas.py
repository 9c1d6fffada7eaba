from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Int32, UInt8

from jde.structures.frame import Image, Picture, pixels_of
from jde.structures.letterbox import Size
from jde.video.colours import Colour, Colours
from jde.video.decoding import planes_of

FONT = cv2.FONT_HERSHEY_DUPLEX

QUARTERS = 2
"""Binary places of a coordinate among pixels of twice the size, whose centres lie between."""

Point = tuple[int, int]
Points = Int32[np.ndarray, "n 2"]
Pixels = UInt8[np.ndarray, "..."]


class Lettering(NamedTuple):
    """What a label says and in which sizes (letters as OpenCV scales them, edge in pixels)."""

    text: str
    letters: float
    edge: int


class Stamp(NamedTuple):
    """A label ready to be put onto a canvas, once for each of its layers."""

    size: Size
    parts: tuple[Pixels, ...]


class _Layer(NamedTuple):
    pixels: Pixels
    step: int
    """Pixels of the picture that one of these covers, each way."""
    part: slice
    """The numbers of a colour that these hold."""
    shift: int
    """Binary places of coordinates among these pixels."""
    edges: int
    """How OpenCV draws lines: smoothed, but for chroma, where nobody sees it."""

    @classmethod
    def full(cls, pixels: Pixels, part: slice) -> "_Layer":
        return cls(pixels, 1, part, 0, cv2.LINE_AA)

    @classmethod
    def halved(cls, pixels: Pixels, part: slice) -> "_Layer":
        return cls(pixels, 2, part, QUARTERS, cv2.LINE_8)

    def thick(self, pixels: int) -> int:
        return -(-pixels // self.step)


class Canvas:
    """A picture to draw on in RGB colours: its pixels, or a video's own luma and chroma.

    Args:
        picture: What is drawn on. One that makes its pixels on demand is asked for all of them only
            where its planes can't be drawn on.
    """

    def __init__(self, picture: Image | Picture) -> None:
        planes = planes_of(picture)
        if planes is None:
            pixels = pixels_of(picture)
            self._colours = None
            self._layers = [_Layer.full(pixels, slice(0, 3))]
        else:
            self._colours = planes.colours
            luma, u, v = planes.arrays
            self._layers = [
                _Layer.full(luma, slice(0, 1)),
                _Layer.halved(u, slice(1, 2)),
                _Layer.halved(v, slice(2, 3)),
            ]
        height, width = self._layers[0].pixels.shape[:2]
        self.size: Size = (width, height)

    def box(self, corners: Sequence[int], colour: Colour, thickness: int) -> None:
        """Draw the outline of a box given by its corners (x1, y1, x2, y2)."""
        own = _own(self._colours, colour)
        left, top, right, bottom = corners
        placed = {
            1: ((left, top), (right, bottom)),
            2: ((2 * left - 1, 2 * top - 1), (2 * right - 1, 2 * bottom - 1)),
        }
        for layer in self._layers:
            cv2.rectangle(
                layer.pixels,
                *placed[layer.step],
                own[layer.part],
                layer.thick(thickness),
                shift=layer.shift,
            )

    def line(self, points: Points, colour: Colour, thickness: int) -> None:
        """Draw a smooth line through the points."""
        own = _own(self._colours, colour)
        placed = {1: [points], 2: [2 * points - 1]}
        for layer in self._layers:
            cv2.polylines(
                layer.pixels,
                placed[layer.step],
                isClosed=False,
                color=own[layer.part],
                thickness=layer.thick(thickness),
                lineType=layer.edges,
                shift=layer.shift,
            )

    def stamp(self, lettering: Lettering, paper: Colour, ink: Colour) -> Stamp:
        """Return a label in the canvas's own colours; labels seen before cost nothing."""
        return _stamp(self._colours, lettering, paper, ink)

    def put(self, stamp: Stamp, place: Point) -> None:
        """Put a label so that its upper left corner is at `place`, cut where the picture ends."""
        for layer, part in zip(self._layers, stamp.parts, strict=True):
            x, y = place[0] // 2 * 2 // layer.step, place[1] // 2 * 2 // layer.step
            inside = layer.pixels[y : y + part.shape[0], x : x + part.shape[1]]
            inside[:] = part[: inside.shape[0], : inside.shape[1]]


@lru_cache(maxsize=1024)
def _own(colours: Colours | None, colour: Colour) -> Colour:
    return colour if colours is None else colours.of_colour(colour)


@lru_cache(maxsize=512)
def _stamp(colours: Colours | None, lettering: Lettering, paper: Colour, ink: Colour) -> Stamp:
    inked = _inked(lettering)
    first, last = np.array(_own(colours, paper)), np.array(_own(colours, ink))
    shades = first + np.arange(256)[:, None] / 255 * (last - first)
    table = np.round(shades).astype(np.uint8)
    size = (inked.shape[1], inked.shape[0])
    if colours is None:
        return Stamp(size, (table[inked],))
    halved = cv2.resize(inked, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return Stamp(size, (table[inked, 0], table[halved, 1], table[halved, 2]))


def _inked(lettering: Lettering) -> UInt8[np.ndarray, "_ _"]:
    """Return how much ink covers each pixel of a label, 0 to 255; its sides are even."""
    text, letters, edge = lettering
    (width, height), below = cv2.getTextSize(text, FONT, letters, 1)
    wide, tall = width + 2 * edge + 1, height + 2 * edge + below // 2 + 1
    mask = np.zeros((tall + tall % 2, wide + wide % 2), np.uint8)
    cv2.putText(mask, text, (edge, height + edge), FONT, letters, 255, 1, cv2.LINE_AA)
    return mask
