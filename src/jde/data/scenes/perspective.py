from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jde.data.scenes.camera import PERSON, draw_camera

SMALLEST = 0.055
"""Height of the smallest people placed, in parts of the picture's height."""
HIGHEST_FOOT = 0.15
"""Row of the highest feet, in parts of the picture's height."""
TRUSTED = 3
"""People needed before a picture's own perspective is measured."""
MISFIT = 0.15
"""Deviation of people's heights from a perspective that is still believed."""


@dataclass(frozen=True, slots=True)
class Perspective:
    """How tall people are, by the row of their feet.

    Attributes:
        horizon: Row where people would vanish, in pixels.
        rise: Pixels of height for each row below it.
        lowest: Row of the nearest feet.
    """

    horizon: float
    rise: float
    lowest: float

    def height(self, foot: float) -> float:
        """Return the height in pixels of an average person whose feet are on a row."""
        return self.rise * (foot - self.horizon)

    def draw_foot(self, rng: np.random.Generator, picture_height: int) -> float:
        """Return a row to stand on, more often far than near."""
        # People farther away would stand above the picture of a camera that looks down.
        smallest = max(SMALLEST * picture_height, self.height(HIGHEST_FOOT * picture_height))
        tallest = max(smallest, self.height(self.lowest))
        height = smallest + (tallest - smallest) * rng.random() ** 1.3
        return self.horizon + height / self.rise

    @classmethod
    def draw(cls, rng: np.random.Generator, size: tuple[int, int]) -> "Perspective":
        """Return what a random camera sees."""
        nearest = size[1] * float(np.exp(rng.uniform(np.log(0.22), np.log(1.1))))
        camera = draw_camera(rng, size, nearest)
        lowest = camera.horizon + nearest * camera.height / PERSON
        return cls(camera.horizon, PERSON / camera.height, lowest)

    @classmethod
    def of_people(
        cls, boxes: Float[np.ndarray, "n 4"], size: tuple[int, int]
    ) -> "Perspective | None":
        """Return the perspective that labelled people show, or None if they show none."""
        if len(boxes) < TRUSTED:
            return None
        feet, heights = boxes[:, 3].astype(np.float64), (boxes[:, 3] - boxes[:, 1])
        # Cut-off people end at the border, not at their feet.
        whole = (feet < size[1] - 2) & (boxes[:, 1] > 1)
        feet, heights = feet[whole], heights[whole].astype(np.float64)
        if len(feet) < TRUSTED or np.ptp(feet) < 0.08 * size[1]:
            return None
        rise, start = np.polyfit(feet, heights, 1)
        misfit = np.abs(rise * feet + start - heights).mean() / heights.mean()
        if rise < 0.1 or misfit > MISFIT:  # noqa: PLR2004 (a view from straight above)
            return None
        return cls(-start / rise, float(rise), 1.15 * size[1])
