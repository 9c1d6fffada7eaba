"""Detections of people who walk at random, for measuring trackers."""

import numpy as np

from jde.structures.detections import Detections
from jde.structures.tracks import Tracks

PICTURE = np.array([1920.0, 1080.0])


class SimulatedCrowd:
    """People on a random walk in a full-HD picture.

    Args:
        people: How many are there.
        seed: Of the random generator.
        dim: Columns of the embeddings.
        miss: Chance that a person is not detected in a frame.
        turnover: Chance that a person is replaced by another in a frame.
    """

    def __init__(
        self,
        people: int,
        *,
        seed: int,
        dim: int = 512,
        miss: float = 0.02,
        turnover: float = 0.0,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.miss, self.turnover, self.dim = miss, turnover, dim
        self.centre = self.rng.random((people, 2)) * PICTURE
        self.height = self.rng.uniform(60, 200, people)
        self.speed = self.rng.normal(0, 2, (people, 2))
        self.looks = _units(self.rng.normal(size=(people, dim)))

    def next_frame(self) -> Detections:
        """Let everybody take a step and return who is seen."""
        rng, people = self.rng, len(self.height)
        leaves = rng.random(people) < self.turnover
        self.centre[leaves] = rng.random((leaves.sum(), 2)) * PICTURE
        self.looks[leaves] = _units(rng.normal(size=(leaves.sum(), self.dim)))
        self.speed = 0.95 * self.speed + rng.normal(0, 0.5, (people, 2))
        self.centre = np.mod(self.centre + self.speed, PICTURE)
        seen = rng.random(people) > self.miss
        count = int(seen.sum())
        half = self.height[seen, None] * [0.2, 0.5]
        middle = self.centre[seen] + rng.normal(0, 1, (count, 2))
        noise = rng.normal(0, 0.25 / np.sqrt(self.dim), (count, self.dim))
        return Detections(
            boxes=np.concatenate([middle - half, middle + half], axis=1).astype(np.float32),
            scores=rng.uniform(0.5, 1, count).astype(np.float32),
            embeddings=_units(self.looks[seen] + noise).astype(np.float32),
        )


def as_tracks(seen: Detections, height: int) -> Tracks:
    """Return who is seen as a tracker would, in a picture of another height."""
    scale = np.float32(height / PICTURE[1])
    return Tracks(np.arange(1, len(seen) + 1), seen.boxes * scale, seen.scores, seen.classes)


def _units(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
