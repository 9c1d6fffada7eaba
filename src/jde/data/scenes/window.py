"""The part of a background picture that a composed scene shows."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from jde.data.sample import Sample
from jde.data.scenes.chance import happens
from jde.structures.frame import Image

LARGEST_ZOOM = 2.0
"""How much smaller than the picture the part shown may be."""
LARGEST_SCALE = 1.4
"""Pictures are not enlarged more than this where they needn't be: they would be soft."""
SWEEP = 0.6
"""Part of the free way that a moving camera covers."""


@dataclass(frozen=True, slots=True)
class Window:
    """A picture scaled so that a window of the wanted size can slide over it.

    Attributes:
        image: The scaled picture.
        boxes: Its labelled people, in its pixels.
        size: Width and height of the window.
        start: Left and top of the window at first.
        sweep: How far the window slides to the right and down within one period, in pixels.
        period: Seconds there and back.
    """

    image: Image
    boxes: Float32[np.ndarray, "n 4"]
    size: tuple[int, int]
    start: tuple[float, float]
    sweep: tuple[float, float]
    period: float

    @classmethod
    def open(
        cls, rng: np.random.Generator, sample: Sample, size: tuple[int, int], *, moving: bool
    ) -> "Window":
        """Return a random part of a picture; half of all pictures are mirrored."""
        height, width = sample.image.shape[:2]
        cover = max(size[0] / width, size[1] / height)
        least = 1.15 if moving else 1.0
        most = max(least, min(LARGEST_ZOOM, LARGEST_SCALE / cover))
        scale = cover * float(rng.uniform(least, most))
        scaled = max(size[0], round(width * scale)), max(size[1], round(height * scale))
        shrinks = scale < 1
        image = cv2.resize(
            sample.image, scaled, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        boxes = sample.labels.boxes * np.tile(np.divide(scaled, (width, height)), 2)
        if happens(rng, 0.5):
            image = np.ascontiguousarray(image[:, ::-1])
            boxes[:, [0, 2]] = scaled[0] - boxes[:, [2, 0]]
        free = scaled[0] - size[0], scaled[1] - size[1]
        start = tuple(float(rng.integers(0, way + 1)) for way in free)
        goal = (float(rng.uniform(0, way)) for way in free)
        sweep = tuple((g - s) * SWEEP * moving for g, s in zip(goal, start, strict=True))
        return cls(
            image, boxes.astype(np.float32), size, (start[0], start[1]), (sweep[0], sweep[1]),
            float(rng.uniform(4, 15)),
        )  # fmt: skip

    def corner(self, seconds: float) -> tuple[float, float]:
        """Return left and top of the window after `seconds`."""
        share = (1 - np.cos(2 * np.pi * seconds / self.period)) / 2
        return self.start[0] + self.sweep[0] * share, self.start[1] + self.sweep[1] * share

    def view(self, corner: tuple[float, float]) -> Image:
        """Return a copy of what lies in the window."""
        left, top = corner
        width, height = self.size
        if left.is_integer() and top.is_integer():
            return self.image[int(top) : int(top) + height, int(left) : int(left) + width].copy()
        move = np.array([[1, 0, -left], [0, 1, -top]])
        return cv2.warpAffine(self.image, move, self.size, borderMode=cv2.BORDER_REFLECT_101)
