"""Random changes of colour and sharpness; none of them moves a pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from jde.structures.frame import Image

MIDDLE_GREY = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourConfig:
    """Changes beyond the published ones, each off by default."""

    hue: float = 0.0
    """Hues turn by up to this many degrees of the colour wheel, either way."""
    contrast: float = 0.0
    """Contrast is multiplied by 1 plus or minus up to this."""
    grey: float = 0.0
    """Probability of a picture without colour."""
    blur: float = 0.0
    """Probability of a blurred picture."""
    max_blur: float = 2.0
    """Largest radius of the blur, pixels."""
    noise: float = 0.0
    """Probability of a noisy picture."""
    max_noise: float = 12.0
    """Largest deviation of the noise, grey levels."""
    jpeg: float = 0.0
    """Probability of a heavily compressed picture."""
    min_quality: int = 30
    """Lowest JPEG quality, of 100."""


def degrade(image: Image, config: ColourConfig, rng: np.random.Generator) -> Image:
    """Return the picture after the random changes of `config`."""
    if config.hue:
        image = shift_hue(image, rng.uniform(-config.hue, config.hue))
    if config.contrast:
        image = scale_contrast(image, 1 + rng.uniform(-config.contrast, config.contrast))
    if rng.random() < config.grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < config.blur:
        image = blur(image, rng.uniform(0.2, 1) * config.max_blur)
    if rng.random() < config.noise:
        image = add_noise(image, rng.uniform(0, config.max_noise), rng)
    if rng.random() < config.jpeg:
        image = recompress(image, int(rng.integers(config.min_quality, 96)))
    return image


def scale_saturation_and_value(image: Image, saturation: float, value: float) -> Image:
    """Return the picture with saturation and brightness multiplied; the hue stays."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    levels = np.stack([np.arange(256, dtype=np.uint8), _scaled(saturation), _scaled(value)], axis=1)
    return cv2.cvtColor(cv2.LUT(hsv, levels[None]), cv2.COLOR_HSV2RGB)


def _scaled(factor: float) -> UInt8[np.ndarray, " 256"]:
    levels = np.arange(256, dtype=np.float32) * np.float32(factor)
    return np.minimum(levels, 255).astype(np.uint8)


def shift_hue(image: Image, degrees: float) -> Image:
    """Return the picture with all hues turned by `degrees` on the colour wheel."""
    # OpenCV keeps hue in steps of two degrees so that it fits 8 bits.
    steps = np.arange(256, dtype=np.int64) + round(degrees / 2)
    level = np.arange(256, dtype=np.uint8)
    levels = np.stack([(steps % 180).astype(np.uint8), level, level], axis=1)
    hsv = cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), levels[None])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def scale_contrast(image: Image, factor: float) -> Image:
    """Return the picture with all levels `factor` times as far from middle grey."""
    levels = (np.arange(256) - MIDDLE_GREY) * factor + MIDDLE_GREY
    return cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8))


def blur(image: Image, radius: float) -> Image:
    """Return the picture out of focus by a Gaussian of `radius` pixels."""
    return cv2.GaussianBlur(image, (0, 0), radius)


def add_noise(image: Image, deviation: float, rng: np.random.Generator) -> Image:
    """Return the picture with sensor noise of `deviation` grey levels."""
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(deviation)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def recompress(image: Image, quality: int) -> Image:
    """Return the picture as JPEG of `quality` (1 to 100) shows it."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
