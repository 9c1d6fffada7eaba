"""Walks people over the ground, so that nobody walks through anybody."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64

from jde.data.scenes.camera import Camera
from jde.data.scenes.chance import happens
from jde.data.scenes.skeleton import Pose

ROOM = 0.5
"""Metres between the centres of two people at least."""
CARE = 1.4
"""Metres at which walkers begin to give way."""
HAND_UP = 1.9
"""Bend of the elbow that holds a telephone, in radians."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The part of the ground where people walk.

    Attributes:
        near: Metres from the camera to the nearest walkers.
        far: Metres to the farthest walkers.
        slope: Half of the width in view at one metre of distance.
    """

    near: float
    far: float
    slope: float

    @classmethod
    def seen_by(cls, camera: Camera, tallest: float, smallest: float) -> "Ground":
        """Return where people are between `smallest` and `tallest` pixels tall."""
        slope = camera.size[0] / 2 / camera.focal
        return cls(camera.distance(tallest), camera.distance(smallest), slope)

    def draw(self, rng: np.random.Generator, evenness: float) -> tuple[float, float]:
        """Return a random place; `evenness` 0 fills the picture, 1 the ground."""
        share = rng.random()
        inverse = 1 / (1 / self.far + share * (1 / self.near - 1 / self.far))
        away = (1 - evenness) * inverse + evenness * (self.near + share * (self.far - self.near))
        return float(rng.uniform(-1.08, 1.08) * self.slope * away), float(away)


@dataclass(slots=True)
class Crowd:
    """People and how they move; row i of every array belongs to walker i.

    Attributes:
        ground: Where they walk.
        rng: Source of all chance.
        count: How many people are about at once.
        newest: Number of the identity that came last.
    """

    ground: Ground
    rng: np.random.Generator
    count: int
    evenness: float = 0.2
    newest: int = -1
    identities: Int64[np.ndarray, " n"] = field(init=False)
    places: Float64[np.ndarray, "n 2"] = field(init=False)
    wishes: Float64[np.ndarray, "n 2"] = field(init=False)
    speeds: Float64[np.ndarray, "n 2"] = field(init=False)
    phases: Float64[np.ndarray, " n"] = field(init=False)
    manners: Float64[np.ndarray, "n 5"] = field(init=False)

    def __post_init__(self) -> None:
        self.identities = np.full(self.count, -1, np.int64)
        self.places = np.zeros((self.count, 2))
        self.wishes = np.zeros((self.count, 2))
        self.phases = self.rng.uniform(0, 2 * np.pi, self.count)
        self.manners = np.zeros((self.count, 5))
        for row in range(self.count):
            self._enter(row, self.ground.draw(self.rng, self.evenness))
        self._pair_up()
        self.speeds = self.wishes.copy()
        for _ in range(12):
            self._part()

    def step(self, seconds: float) -> None:
        """Let everybody walk on."""
        self.speeds += (self.wishes - self.speeds) * min(1.0, 2 * seconds)
        self.speeds += self._give_way() * seconds
        # Nobody is pushed faster than a brisk walk.
        pace = np.linalg.norm(self.speeds, axis=1, keepdims=True)
        self.speeds *= np.minimum(1, 2.2 / np.maximum(pace, 1e-9))
        self.places += self.speeds * seconds
        self._part()
        self.phases += 2 * np.pi * seconds * self._pace() / (0.75 + 0.45 * self._pace())
        for row in np.flatnonzero(self._has_left()):
            self._enter(int(row), self._at_the_edge())
            self.speeds[row] = self.wishes[row]

    def pose(self, row: int, camera: Camera) -> Pose:
        """Return how a walker holds the body."""
        pace = float(self._pace()[row])
        across, away = self.places[row]
        left, right, lift, lean, facing = self.manners[row]
        walks = pace > 0.15  # noqa: PLR2004 (m/s below which one stands)
        heading = np.arctan2(*self.speeds[row][::-1]) if walks else facing
        # The line of sight to a person at the side of the picture meets them at an angle.
        heading += np.arctan2(across - camera.travel[0], max(away - camera.travel[1], 0.1))
        return Pose(
            phase=float(self.phases[row]) if walks else 0.0,
            swing=min(0.5, 0.1 + 0.22 * pace) if walks else 0.06,
            heading=float(heading),
            elevation=camera.elevation(away),
            arms=(left, right),
            lift=(0.5 * lift if left > 1 else 0.0, 0.5 * lift if right > 1 else 0.0),
            lean=lean,
        )

    def _pace(self) -> Float64[np.ndarray, " n"]:
        return np.linalg.norm(self.speeds, axis=1)

    def _enter(self, row: int, place: tuple[float, float]) -> None:
        """Let somebody new begin at a place."""
        rng = self.rng
        self.newest += 1
        self.identities[row] = self.newest
        self.places[row] = place
        pace = 0.0 if happens(rng, 0.15) else np.clip(rng.normal(1.3, 0.25), 0.6, 2.0)
        # More people cross the view than come straight on.
        angle = rng.choice([0, np.pi, np.pi / 2, -np.pi / 2], p=[0.33, 0.33, 0.17, 0.17])
        angle += rng.normal(0, 0.35)
        if abs(place[0]) > self.ground.slope * place[1]:
            pace, angle = max(pace, 0.8), (0 if place[0] < 0 else np.pi) + rng.normal(0, 0.3)
        self.wishes[row] = pace * np.cos(angle), pace * np.sin(angle)
        bends = [HAND_UP if happens(rng, 0.12) else rng.uniform(0.1, 0.6) for _ in range(2)]
        self.manners[row] = *bends, rng.uniform(0, 1), rng.normal(0.05, 0.04), rng.uniform(-4, 4)

    def _pair_up(self) -> None:
        """Let a part of the people walk beside somebody."""
        for row in range(1, self.count):
            if happens(self.rng, 0.22):  # share of people in company
                friend = int(self.rng.integers(row))
                side = self.wishes[friend][::-1] * [-1, 1]
                side = side / np.linalg.norm(side) if side.any() else self.rng.normal(0, 0.7, 2)
                side = side * self.rng.choice([-1.0, 1.0])
                self.places[row] = self.places[friend] + side * self.rng.uniform(0.55, 0.8)
                self.wishes[row] = self.wishes[friend]

    def _give_way(self) -> Float64[np.ndarray, "n 2"]:
        """Return the acceleration away from people who are close ahead."""
        apart = self.places[:, None] - self.places[None]
        distance = np.linalg.norm(apart, axis=2) + 1e-6
        push = np.where(distance < CARE, (CARE - distance) / CARE, 0)
        np.fill_diagonal(push, 0)
        away = apart / distance[..., None]
        # Give way sideways, always to the same hand: two who meet don't mirror each other.
        sideways = np.stack([away[..., 1], -away[..., 0]], axis=2)
        closing = np.einsum("ijk,ijk->ij", self.speeds[:, None] - self.speeds[None], away) < 0
        return (((away + sideways) * (push * closing)[..., None]).sum(1)) * 2.5

    def _part(self) -> None:
        """Move people apart who stand in one another."""
        apart = self.places[:, None] - self.places[None]
        distance = np.linalg.norm(apart, axis=2)
        np.fill_diagonal(distance, np.inf)
        if (distance < ROOM).any():
            lack = np.clip(ROOM - distance, 0, None) / 2
            away = apart / np.maximum(distance, 1e-6)[..., None]
            self.places += (away * lack[..., None]).sum(1)

    def _has_left(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        across, away = self.places.T
        reach = self.ground.slope * away + 1.5
        outward = np.sign(across) * self.speeds[:, 0] > 0
        aside = (np.abs(across) > reach) & outward
        close = (away < 0.75 * self.ground.near) & (self.speeds[:, 1] < 0)
        distant = (away > 1.3 * self.ground.far) & (self.speeds[:, 1] > 0)
        return aside | close | distant

    def _at_the_edge(self) -> tuple[float, float]:
        """Return a free place just outside the view."""
        place = 0.0, 0.0
        for _ in range(8):
            _, away = self.ground.draw(self.rng, self.evenness)
            side = self.rng.choice([-1.0, 1.0])
            place = float(side * (self.ground.slope * away + 1.0)), away
            if (np.linalg.norm(self.places - place, axis=1) > ROOM).all():
                break
        return place
