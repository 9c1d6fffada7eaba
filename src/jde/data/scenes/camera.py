from dataclasses import dataclass, replace

import numpy as np

PERSON = 1.7
"""Metres of the person that sizes are measured by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """An upright pinhole camera over flat ground.

    Attributes:
        size: Width and height of the picture.
        focal: Focal length in pixels.
        height: Metres above the ground.
        horizon: Row of the horizon; it may lie outside the picture.
        shift: Pixels by which everything is moved right and down: turning of the camera.
        travel: Metres the camera has gone to the right and forward.
    """

    size: tuple[int, int]
    focal: float
    height: float
    horizon: float
    shift: tuple[float, float] = (0.0, 0.0)
    travel: tuple[float, float] = (0.0, 0.0)

    def place(self, across: float, away: float) -> tuple[float, float, float]:
        """Return column and row of a point on the ground, and pixels for one metre there."""
        scale = self.focal / max(away - self.travel[1], 0.1)
        x = self.size[0] / 2 + (across - self.travel[0]) * scale + self.shift[0]
        return x, self.horizon + self.height * scale + self.shift[1], scale

    def distance(self, person_pixels: float) -> float:
        """Return how far away a person of usual height is that many pixels tall."""
        return self.focal * PERSON / person_pixels

    def person_at(self, row: float) -> float:
        """Return how many pixels tall a person of usual height is whose feet are on a row."""
        return (row - self.horizon) * PERSON / self.height

    def elevation(self, away: float) -> float:
        """Return the angle under which the camera looks down on a person's middle, in radians."""
        return float(np.arctan2(self.height - PERSON / 2, away - self.travel[1]))


@dataclass(frozen=True, slots=True)
class Motion:
    """How a hand-held, turning or riding camera moves; all zero for a fixed one.

    Attributes:
        turn: Largest shift of the picture in pixels, right and down.
        ride: Largest travel in metres, right and forward.
        shake: Jitter in pixels.
        period: Seconds there and back.
    """

    turn: tuple[float, float] = (0.0, 0.0)
    ride: tuple[float, float] = (0.0, 0.0)
    shake: float = 0.0
    period: float = 12.0

    @classmethod
    def draw(cls, rng: np.random.Generator, size: tuple[int, int]) -> "Motion":
        """Return a random motion for pictures of `size`."""
        return cls(
            turn=(size[0] * rng.uniform(-0.2, 0.2), size[1] * rng.uniform(-0.04, 0.04)),
            ride=(rng.uniform(-1.5, 1.5), rng.uniform(-0.5, 2.5)),
            shake=size[1] * rng.uniform(0, 0.003),
            period=rng.uniform(6, 20),
        )

    def margin(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return how far the picture's edge can move, in pixels."""
        across, down = (int(abs(t) + 6 * self.shake + 3) for t in self.turn)
        still = self == Motion()
        return (0, 0) if still else (min(across, size[0]), min(down, size[1]))

    def at(self, camera: Camera, seconds: float, rng: np.random.Generator) -> Camera:
        """Return the camera as it stands after `seconds`."""
        if self == Motion():
            return camera
        wave = np.sin(2 * np.pi * seconds / self.period)
        forth = (1 - np.cos(2 * np.pi * seconds / self.period)) / 2
        jitter = np.clip(rng.normal(0, 1, 2), -3, 3) * self.shake
        return replace(
            camera,
            shift=(self.turn[0] * wave + jitter[0], self.turn[1] * wave + jitter[1]),
            travel=(self.ride[0] * wave, self.ride[1] * forth),
        )


def draw_camera(rng: np.random.Generator, size: tuple[int, int], nearest: float) -> Camera:
    """Return a camera as streets have them: in a hand, on a robot, on a mast or a roof.

    Args:
        rng: Source of chance.
        size: Width and height of the picture.
        nearest: Pixels that the nearest people are tall.
    """
    width, tall = size
    height = float(rng.choice([rng.uniform(0.9, 1.9), rng.uniform(2, 4), rng.uniform(4, 8)]))
    # The feet of the nearest people stand somewhat inside or below the picture.
    lowest = tall * rng.uniform(0.85, 1.25)
    horizon = min(lowest - height * nearest / PERSON, 0.6 * tall)
    return Camera(size=size, focal=width * rng.uniform(0.7, 1.8), height=height, horizon=horizon)
