from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from jde.data.sample import Labels, Sample
from jde.data.scenes.appearance import Appearance
from jde.data.scenes.scene import LabelledFrame, Scene

LEAST_VISIBLE = 0.15
"""People of whom less is seen are not labelled: nobody could find them."""
STREAM = 7919
"""Keeps the chance that makes the people apart from the chance that makes the pictures."""


@dataclass(frozen=True, slots=True)
class SceneSource:
    """Drawn pictures with a fixed cast, as training data.

    Every person of the cast comes back in other pictures: in another place, light, pose and size.

    Attributes:
        seed: Decides the cast and, with the index, each picture.
        length: Number of pictures.
        size: Width and height in pixels.
        people: How many people a picture holds on average.
        cast_size: Number of identities.
        fresh: Draw another picture at every call instead of one fixed picture for each index.
    """

    seed: int
    length: int
    size: tuple[int, int] = (576, 320)
    people: int = 12
    cast_size: int = 500
    fresh: bool = False

    @property
    def name(self) -> str:
        """What reports call the source."""
        return f"scenes-{self.seed}"

    @property
    def identity_count(self) -> int:
        """Number of identities: labels hold values below it."""
        return self.cast_size

    def __len__(self) -> int:
        return self.length

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Return picture `index`; `rng` is used only by a fresh source."""
        chance = rng if self.fresh else np.random.default_rng([self.seed, index])
        people = int(np.clip(chance.geometric(1 / self.people), 1, 4 * self.people))
        numbers = chance.choice(self.cast_size, min(people, self.cast_size), replace=False)
        scene = Scene(
            seed=int(chance.integers(1 << 62)),
            size=self.size,
            people=len(numbers),
            moving=None,
            cast=[cast_member(self.seed, int(number)) for number in numbers],
        )
        (drawn,) = scene.frames(1)
        path = Path(f"{self.name}/{index:06d}.drawn")
        return Sample(drawn.frame.image, _labels(drawn, numbers), path)


@lru_cache(maxsize=4096)
def cast_member(seed: int, number: int) -> Appearance:
    """Return one person of the cast that belongs to a seed."""
    return Appearance.draw(np.random.default_rng([STREAM, seed, number]))


def _labels(drawn: LabelledFrame, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Labels:
    labels = Labels(drawn.boxes, numbers[drawn.identities].astype(np.int64))
    return labels.where(drawn.visibility >= LEAST_VISIBLE)
