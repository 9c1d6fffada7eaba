"""Things that stand among people and are none: poles, bins, signs, cars, bushes."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from jde.data.scenes.chance import happens
from jde.data.scenes.figure import Place
from jde.data.scenes.noise import noise_patch
from jde.data.scenes.sprite import Sprite

PropKind = Literal["pole", "sign", "bollard", "bin", "car", "bush", "bench", "kiosk", "fence"]
EXTENTS: dict[PropKind, tuple[float, float, float, float]] = {
    "pole": (0.1, 0.25, 2.5, 7.0),
    "sign": (0.5, 0.9, 1.8, 3.0),
    "bollard": (0.12, 0.35, 0.6, 1.1),
    "bin": (0.4, 0.8, 0.8, 1.4),
    "car": (1.7, 4.4, 1.35, 1.8),
    "bush": (0.5, 2.0, 0.5, 1.8),
    "bench": (1.2, 2.0, 0.7, 0.9),
    "kiosk": (0.8, 2.4, 1.7, 2.8),
    "fence": (1.5, 5.0, 0.8, 1.2),
}
"""Least and greatest width, least and greatest height, in metres."""


@dataclass(frozen=True, slots=True)
class Prop:
    """One thing on the ground.

    Attributes:
        kind: What it is.
        across: Metres right of the camera's start.
        away: Metres from the camera's start.
        width: Metres.
        height: Metres.
        seed: Decides its colours and details.
    """

    kind: PropKind
    across: float
    away: float
    width: float
    height: float
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator, across: float, away: float) -> "Prop":
        """Return a random thing at a place."""
        kind: PropKind = rng.choice(list(EXTENTS)).item()
        narrow, wide, low, high = EXTENTS[kind]
        width, height = float(rng.uniform(narrow, wide)), float(rng.uniform(low, high))
        return cls(kind, across, away, width, height, int(rng.integers(1 << 31)))


def paint_prop(prop: Prop, place: Place) -> Sprite:
    """Return a thing as seen in the picture, standing on `place`."""
    width, height = (max(2, round(side * place.scale)) for side in (prop.width, prop.height))
    # Something right in front of the lens needs no more detail than fills the picture.
    fine = min(1.0, 700 / max(width, height))
    size = max(2, round(width * fine)), max(2, round(height * fine))
    colours = np.zeros((size[1], size[0], 3), np.float32)
    opacity = np.zeros((size[1], size[0]), np.uint8)
    rng = np.random.default_rng(prop.seed)
    colours[:] = np.clip(rng.uniform(15, 220) + rng.normal(0, 35, 3), 0, 255)
    _PAINTERS[prop.kind](rng, colours, opacity)
    rounding = np.cos(np.linspace(-1.2, 1.2, size[0], dtype=np.float32) + rng.uniform(-0.4, 0.4))
    grain = noise_patch(rng, size, size[1] / 200) * np.float32(0.15)
    colours *= (0.55 + 0.45 * rounding)[None, :, None] + grain[..., None]
    painted = np.clip(colours, 0, 255).astype(np.uint8)
    if size != (width, height):
        painted = cv2.resize(painted, (width, height))
        opacity = cv2.resize(opacity, (width, height))
    return Sprite(painted, opacity, round(place.x - width / 2), round(place.y) - height)


Colours = Float32[np.ndarray, "height width 3"]
Opacity = UInt8[np.ndarray, "height width"]


def _whole(rng: np.random.Generator, colours: Colours, opacity: Opacity) -> None:
    opacity[:] = 255
    if happens(rng, 0.5):  # share of things with a band
        top = int(len(opacity) * rng.uniform(0, 0.7))
        band = slice(top, top + max(1, len(opacity) // int(rng.integers(4, 12))))
        colours[band] = rng.uniform(0, 255, 3)


def _sign(rng: np.random.Generator, colours: Colours, opacity: Opacity) -> None:
    height, width = opacity.shape
    board = int(height * rng.uniform(0.2, 0.4))
    post = max(1, width // 12)
    cv2.rectangle(opacity, (width // 2 - post, 0), (width // 2 + post, height), 255, -1)
    colours[:board] = rng.uniform(0, 255, 3)
    if happens(rng, 0.5):  # round and square signs
        cv2.ellipse(opacity, (width // 2, board // 2), (width // 2, board // 2), 0, 0, 360, 255, -1)
    else:
        opacity[:board] = 255
    colours[board // 3 : 2 * board // 3, width // 5 : -width // 5] = rng.uniform(0, 255, 3)


def _car(rng: np.random.Generator, colours: Colours, opacity: Opacity) -> None:
    height, width = opacity.shape
    roof, hood = int(height * 0.42), int(width * rng.uniform(0.08, 0.22))
    body = np.array([(0, roof), (width, roof), (width, height * 0.85), (0, height * 0.85)])
    cabin = np.array(
        [(hood, roof + 2), (hood * 1.9, 0), (width - hood * 1.6, 0), (width - hood, roof + 2)]
    )
    for shape in (body, cabin):
        cv2.fillPoly(opacity, [shape.astype(np.int32)], 255)
    glass = cabin * [0.92, 0.8] + [0.04 * width, 0.07 * height]
    cv2.fillPoly(colours, [glass.astype(np.int32)], rng.uniform(20, 110, 3).tolist())
    for x in (0.2, 0.8):
        wheel, radius = (int(width * x), int(height * 0.8)), max(1, int(height * 0.2))
        cv2.circle(opacity, wheel, radius, 255, -1)
        cv2.circle(colours, wheel, radius, (25, 25, 27), -1)


def _bush(rng: np.random.Generator, colours: Colours, opacity: Opacity) -> None:
    height, width = opacity.shape
    rows, columns = np.ogrid[-1.0 : 1.0 : height * 1j, -1.0 : 1.0 : width * 1j]
    rough = noise_patch(rng, (width, height), height / 80)
    opacity[rows**2 + columns**2 < 0.75 + 0.5 * rough] = 255
    leaf = np.array([rng.uniform(30, 100), rng.uniform(60, 120), rng.uniform(20, 70)], np.float32)
    colours[:] = leaf * (0.9 + 0.6 * rough[..., None])


def _bench(rng: np.random.Generator, _: Colours, opacity: Opacity) -> None:
    height, width = opacity.shape
    for row in (0.0, 0.22, 0.5):
        opacity[int(row * height) : int((row + 0.15) * height) + 1] = 255
    for column in (0.08, float(rng.uniform(0.85, 0.9))):
        opacity[:, int(column * width) : int((column + 0.05) * width) + 1] = 255


def _fence(rng: np.random.Generator, _: Colours, opacity: Opacity) -> None:
    height, width = opacity.shape
    bar = max(1, height // 20)
    gap = max(bar + 2, height // int(rng.integers(3, 9)))
    opacity[:bar] = 255
    opacity[-2 * bar : -bar] = 255
    for column in range(0, width, gap):
        opacity[:, column : column + bar] = 255


_PAINTERS = {
    "pole": _whole, "sign": _sign, "bollard": _whole, "bin": _whole, "car": _car, "bush": _bush,
    "bench": _bench, "kiosk": _whole, "fence": _fence,
}  # fmt: skip
