"""Things that hide a part of cut-out people."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from jde.data.scenes.camera import PERSON
from jde.data.scenes.chance import happens
from jde.data.scenes.figure import Place
from jde.data.scenes.props import Prop, paint_prop
from jde.data.scenes.sprite import Box, Sprite
from jde.data.scenes.window import Window

WIDEST, TALLEST = 1.6, 3.0
"""Greatest size of painted things, in metres: bigger ones would hide the place."""


@dataclass(frozen=True, slots=True)
class Occluder:
    """One thing in front of somebody.

    Attributes:
        sprite: What it looks like, in pixels of the background.
        foot: Row of its foot in the background.
    """

    sprite: Sprite
    foot: float

    def sprite_at(self, corner: tuple[float, float]) -> Sprite:
        """Return it as the window with this left upper corner shows it."""
        left, top = (round(edge) for edge in corner)
        own = self.sprite
        return Sprite(own.colours, own.opacity, own.left - left, own.top - top)


def draw_occluders(
    rng: np.random.Generator, window: Window, people: list[Box]
) -> tuple[Occluder, ...]:
    """Return things in front of some of the people: painted ones and pieces of the place itself."""
    found: list[Occluder] = []
    for box in people:
        if happens(rng, 0.1):
            found.append(_painted(rng, box))
        elif happens(rng, 0.12) and (piece := _piece(rng, window, box)):
            found.append(piece)
    return tuple(found)


def _painted(rng: np.random.Generator, box: Box) -> Occluder:
    height = box[3] - box[1]
    foot = box[3] + 0.05 * height
    x = float(rng.uniform(box[0] - 0.2 * height, box[2] + 0.2 * height))
    prop = Prop.draw(rng, 0.0, 0.0)
    prop = replace(prop, width=min(prop.width, WIDEST), height=min(prop.height, TALLEST))
    return Occluder(paint_prop(prop, Place(x, foot, height / PERSON)), foot)


def _piece(rng: np.random.Generator, window: Window, box: Box) -> Occluder | None:
    """Return a piece of the background without people, as a wall or post before the person."""
    tall = box[3] - box[1]
    width = int(tall * rng.uniform(0.08, 0.8))
    height = int(tall * rng.uniform(0.25, 0.7) if width > 0.3 * tall else tall * 1.1)
    rows, columns = window.image.shape[:2]
    if not 2 < height < rows or not 2 < width < columns:  # noqa: PLR2004 (pixels)
        return None
    left, top = int(rng.integers(columns - width)), int(rng.integers(rows - height))
    boxes = window.boxes
    sides = np.minimum(boxes[:, 2:], [left + width, top + height])
    sides = sides - np.maximum(boxes[:, :2], [left, top])
    if (sides > 0).all(axis=1).any():
        return None
    colours = window.image[top : top + height, left : left + width].copy()
    opacity = np.full((height, width), 255, np.uint8)
    opacity = cv2.GaussianBlur(opacity, (0, 0), 0.7, borderType=cv2.BORDER_CONSTANT)
    foot = box[3] + 0.05 * tall
    x = int(rng.uniform(box[0] - width / 2, box[2] - width / 2))
    return Occluder(Sprite(colours, opacity, x, round(foot) - height), foot)
