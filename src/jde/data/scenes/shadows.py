from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from jde.data.scenes.chance import happens
from jde.data.scenes.figure import Place
from jde.data.scenes.sprite import Sprite


@dataclass(frozen=True, slots=True)
class Light:
    """Where the light comes from.

    Attributes:
        side: -1 from the left, 1 from the right, 0 from all round.
        slant: Pixels a shadow goes sideways for one pixel of height.
        length: Pixels a shadow goes down (or up, if negative) for one pixel of height.
        strength: 0 for no shadows, 1 for black ones.
        sun: True casts the outline, else only the foot darkens the ground.
    """

    side: float
    slant: float
    length: float
    strength: float
    sun: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Light":
        """Return a random light."""
        side = float(rng.uniform(-1, 1))
        return cls(
            side=side,
            slant=-side * float(rng.uniform(0.2, 1.2)),
            length=float(rng.uniform(-0.35, 0.35)),
            strength=float(rng.uniform(0.15, 0.6)),
            sun=happens(rng, 0.4),  # share of sunny days
        )


def shade_ground(
    shade: UInt8[np.ndarray, "height width"], sprite: Sprite, place: Place, light: Light
) -> None:
    """Add the shadow of a thing that stands on `place`, in place."""
    radius = max(1, round(0.24 * place.scale)), max(1, round(0.09 * place.scale))
    cv2.ellipse(shade, (round(place.x), round(place.y)), radius, 0, 0, 360, 255, -1)
    if light.sun:
        _cast(shade, sprite, place, light)


def _cast(
    shade: UInt8[np.ndarray, "height width"], sprite: Sprite, place: Place, light: Light
) -> None:
    """Lay the thing's outline on the ground."""
    height, width = sprite.opacity.shape
    reach, flat = abs(light.slant) * height, max(2, int(abs(light.length) * height) + 2)
    foot = place.y - sprite.top
    # A row `foot - y` above the ground moves sideways by the slant and lies `length` away.
    start = max(0.0, -light.slant) * height
    rise = flat - 1.0 if light.length < 0 else 0.0
    outline = cv2.warpAffine(
        sprite.opacity,
        np.array([[1, -light.slant, light.slant * foot + start],
                  [0, -light.length, light.length * foot + rise]]),
        (int(width + reach) + 2, flat),
    )  # fmt: skip
    left, top = sprite.left - round(start), round(place.y - rise)
    shadow = Sprite(np.broadcast_to(np.uint8(0), (*outline.shape, 3)), outline, left, top)
    inside, own = shadow.overlap((shade.shape[1], shade.shape[0]))
    shade[inside] = np.maximum(shade[inside], outline[own])
