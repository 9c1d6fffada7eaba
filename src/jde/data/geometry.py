"""Where pixels and boxes go when a training picture is moved, turned and sheared."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float64

from jde.structures.letterbox import Letterbox, Size

MIN_SIDE = 4.0
"""A person must be wider and higher than this many pixels after the warp; reference value."""
MIN_AREA_SHARE = 0.1
"""Share of a person's area that must be left after the warp; reference value."""
MAX_ASPECT = 10.0
"""Boxes longer than this many times their short side are dropped; reference value."""
EPSILON = 1e-16
"""Keeps empty boxes from dividing by zero, as the reference has it."""

Matrix = Float64[np.ndarray, "3 3"]


@dataclass(frozen=True, slots=True)
class AffineDraw:
    """One random movement of the letterboxed picture.

    Attributes:
        degrees: Rotation about the centre.
        scale: Growth about the centre.
        translation: Shift in x and y, pixels.
        shear: Angles in degrees of the shear of x by y and of y by x.
    """

    degrees: float
    scale: float
    translation: tuple[float, float]
    shear: tuple[float, float]

    def matrix(self, size: Size) -> Matrix:
        """Return shear x translation x rotation for a picture of `size` (width, height)."""
        rotation, translation, shear = np.eye(3), np.eye(3), np.eye(3)
        centre = size[0] / 2, size[1] / 2
        rotation[:2] = cv2.getRotationMatrix2D(centre, self.degrees, self.scale)
        translation[:2, 2] = self.translation
        shear[0, 1] = math.tan(math.radians(self.shear[0]))
        shear[1, 0] = math.tan(math.radians(self.shear[1]))
        return shear @ translation @ rotation


def letterbox_matrix(box: Letterbox, image: Size) -> Matrix:
    """Return the map from pixels of a picture of `image` size to the letterboxed picture.

    Pixels are squares here: the map takes care of their centres as `cv2.resize` does.
    """
    across, down = box.resized[0] / image[0], box.resized[1] / image[1]
    left, _, top, _ = box.padding
    return np.array(
        [
            [across, 0, left + (across - 1) / 2],
            [0, down, top + (down - 1) / 2],
            [0, 0, 1],
        ]
    )


def warp_boxes(boxes: Float[np.ndarray, "n 4"], matrix: Matrix) -> Float64[np.ndarray, "n 4"]:
    """Return the upright hull of every box after the warp."""
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
    moved = corners @ matrix[:2, :2].T + matrix[:2, 2]
    return np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1).astype(np.float64)


def shrink_boxes(boxes: Float64[np.ndarray, "n 4"], degrees: float) -> Float64[np.ndarray, "n 4"]:
    """Return the boxes smaller about their centres: a turned person doesn't fill its hull."""
    angle = math.radians(degrees)
    factor = math.sqrt(max(abs(math.sin(angle)), abs(math.cos(angle))))
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]) * factor / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


def remains_visible(
    before: Float[np.ndarray, "n 4"], after: Float[np.ndarray, "n 4"]
) -> Bool[np.ndarray, " n"]:
    """Return which boxes are still worth training on after the warp and the clip."""
    old, new = before[:, 2:] - before[:, :2], after[:, 2:] - after[:, :2]
    share = new.prod(axis=1) / (old.prod(axis=1) + EPSILON)
    width, height = new[:, 0], new[:, 1]
    aspect = np.maximum(width / (height + EPSILON), height / (width + EPSILON))
    return (
        (width > MIN_SIDE) & (height > MIN_SIDE) & (share > MIN_AREA_SHARE) & (aspect < MAX_ASPECT)
    )
