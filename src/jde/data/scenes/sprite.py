from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from jde.structures.frame import Image

SOLID = 128
"""Opacity from which a pixel counts as part of the thing painted."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """One thing cut out along its outline, and where it stands in the picture.

    Attributes:
        colours: RGB pixels; what lies under transparent pixels doesn't matter.
        opacity: 0 where the background shows, 255 where the thing covers it.
        left: Column of the picture where the sprite's first column lies; may be negative.
        top: Row of the picture where the sprite's first row lies; may be negative.
    """

    colours: UInt8[np.ndarray, "height width 3"]
    opacity: UInt8[np.ndarray, "height width"]
    left: int
    top: int

    @property
    def box(self) -> Box | None:
        """Corners of what is painted, in pixels of the picture; None if nothing is."""
        left, top, width, height = cv2.boundingRect((self.opacity >= SOLID).view(np.uint8))
        if not width:
            return None
        x, y = float(self.left + left), float(self.top + top)
        return x, y, x + width, y + height

    def overlap(self, size: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return which part of a picture of `size` the sprite covers, and which part of it."""
        height, width = self.opacity.shape
        first_x, first_y = max(0, -self.left), max(0, -self.top)
        last_x = max(first_x, min(width, size[0] - self.left))
        last_y = max(first_y, min(height, size[1] - self.top))
        inside = (
            slice(self.top + first_y, self.top + last_y),
            slice(self.left + first_x, self.left + last_x),
        )
        return inside, (slice(first_y, last_y), slice(first_x, last_x))


def paste(canvas: Image, sprite: Sprite) -> None:
    """Paint a sprite over a picture, in place."""
    inside, own = sprite.overlap((canvas.shape[1], canvas.shape[0]))
    below = canvas[inside]
    if not below.size:
        return
    share = sprite.opacity[own].astype(np.float32)[..., None] / 255
    mixed = below + (sprite.colours[own].astype(np.float32) - below) * share
    below[:] = (mixed + 0.5).astype(np.uint8)


def darken(canvas: Image, shade: UInt8[np.ndarray, "height width"], strength: float) -> None:
    """Dim a picture in place where `shade` is high; `strength` 1 makes it black there."""
    rows, columns = np.flatnonzero(shade.any(1)), np.flatnonzero(shade.any(0))
    if not len(rows):
        return
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    light = 1 - shade[part].astype(np.float32)[..., None] * np.float32(strength / 255)
    canvas[part] = (canvas[part] * light).astype(np.uint8)


def visible_fractions(sprites: list[Sprite], size: tuple[int, int]) -> Float32[np.ndarray, " n"]:
    """Return how much of each sprite is seen in a picture of `size`, 0 to 1.

    Sprites are given in the order of painting: later ones cover earlier ones. What lies outside the
    picture isn't seen.
    """
    free = np.ones((size[1], size[0]), bool)
    seen = np.zeros(len(sprites), np.float32)
    for row in reversed(range(len(sprites))):
        solid = sprites[row].opacity >= SOLID
        inside, own = sprites[row].overlap(size)
        seen[row] = np.count_nonzero(solid[own] & free[inside]) / max(1, int(solid.sum()))
        free[inside] &= ~solid[own]
    return seen
