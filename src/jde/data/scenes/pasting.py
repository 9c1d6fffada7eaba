"""Fits a cut-out person into a picture: size, light, sharpness."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from jde.data.scenes.chance import happens
from jde.data.scenes.cutouts import read_cutout
from jde.data.scenes.figure import Place
from jde.data.scenes.sprite import Sprite
from jde.structures.frame import Image

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Fit:
    """How one person is changed so that it belongs into a picture.

    Attributes:
        mirrored: Left and right are swapped.
        light: Part of the way to the brightness of the surroundings.
        gain: Own factor of brightness.
        blur: Width of the blur in pixels.
    """

    mirrored: bool
    light: float
    gain: float
    blur: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Fit":
        """Return a random fit."""
        blur = float(rng.uniform(0.3, 1.0)) if happens(rng, 0.4) else 0.0
        return cls(
            mirrored=happens(rng, 0.5),
            light=float(rng.uniform(0.1, 0.55)),
            gain=float(rng.uniform(0.88, 1.12)),
            blur=blur,
        )


def paste_size(path: Path, height: float) -> tuple[int, int]:
    """Return width and height in pixels of a cut-out that is shown `height` tall."""
    rows, columns = read_cutout(path)[1].shape
    return max(2, round(columns * height / rows)), max(3, round(height))


def fit_cutout(path: Path, place: Place, height: float, fit: Fit, canvas: Image) -> Sprite:
    """Return a cut-out that stands with its feet on `place`, `height` pixels tall.

    Args:
        path: File of the cut-out.
        place: Where the middle of the feet lies.
        height: Pixels from sole to crown.
        fit: What is changed.
        canvas: The picture it will stand in, to take the light from.
    """
    colours, opacity = read_cutout(path)
    size = paste_size(path, height)
    method = cv2.INTER_AREA if size[1] < len(opacity) else cv2.INTER_LINEAR
    colours = cv2.resize(colours, size, interpolation=method)
    opacity = cv2.resize(opacity, size, interpolation=method)
    if fit.mirrored:
        colours, opacity = cv2.flip(colours, 1), cv2.flip(opacity, 1)
    if fit.blur:
        colours = cv2.GaussianBlur(colours, (0, 0), fit.blur)
        opacity = cv2.GaussianBlur(opacity, (0, 0), fit.blur, borderType=cv2.BORDER_CONSTANT)
    sprite = Sprite(colours, opacity, round(place.x - size[0] / 2), round(place.y) - size[1])
    lit = colours * (_gains(sprite, canvas, fit.light) * np.float32(fit.gain))
    return Sprite(np.clip(lit, 0, 255).astype(np.uint8), opacity, sprite.left, sprite.top)


def _gains(sprite: Sprite, canvas: Image, strength: float) -> Float32[np.ndarray, " 3"]:
    """Return the factors of red, green and blue that bring a sprite towards the picture's light."""
    inside, _ = sprite.overlap((canvas.shape[1], canvas.shape[0]))
    around = canvas[inside]
    if not around.size:
        return np.ones(3, np.float32)
    there = np.array(cv2.mean(around)[:3], np.float32)
    here = np.array(cv2.mean(sprite.colours, mask=sprite.opacity)[:3], np.float32)
    light = 1 + strength * (there @ LUMA / max(float(here @ LUMA), 8) - 1)
    cast = np.array(cv2.mean(canvas)[:3], np.float32)
    tint = 1 + 0.3 * (cast / max(float(cast @ LUMA), 8) - 1)
    return np.clip(light, 0.65, 1.45) * np.clip(tint, 0.85, 1.15)
