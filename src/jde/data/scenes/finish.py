from dataclasses import dataclass

import cv2
import numpy as np

from jde.data.scenes.chance import happens
from jde.data.scenes.noise import speckle
from jde.structures.frame import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What lens, sensor and file do to a picture.

    Attributes:
        gains: Factor of red, green and blue: light and white balance.
        lift: Grey added: haze.
        gamma: Exponent of the tone curve.
        colour: 1 keeps the colours, 0 is black and white.
        blur: Width of the Gaussian blur in pixels.
        smear: Pixels the picture is smeared sideways: motion blur.
        noise: Deviation of the sensor's noise in grey levels.
        quality: Quality of the JPEG file; 0 leaves the pixels alone.
    """

    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    lift: float = 0.0
    gamma: float = 1.0
    colour: float = 1.0
    blur: float = 0.0
    smear: int = 0
    noise: float = 0.0
    quality: int = 0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Finish":
        """Return a random finish."""
        light = rng.uniform(0.7, 1.15)
        red, green, blue = (float(light * rng.uniform(0.93, 1.07)) for _ in range(3))
        return cls(
            gains=(red, green, blue),
            lift=float(rng.uniform(0, 40)) if happens(rng, 0.5) else 0.0,
            gamma=float(rng.uniform(0.8, 1.25)),
            colour=float(rng.uniform(0.45, 1.1)),
            blur=float(rng.uniform(0.3, 1.1)) if happens(rng, 0.5) else 0.0,
            smear=int(rng.integers(2, 6)) if happens(rng, 0.15) else 0,
            noise=float(rng.uniform(0, 7)),
            quality=int(rng.integers(35, 95)) if happens(rng, 0.5) else 0,
        )

    def __call__(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the picture as a camera would deliver it."""
        tones = np.arange(256) / 255
        table = 255 * tones[:, None] ** self.gamma * np.array(self.gains) + self.lift
        picture = cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)[None])
        if self.colour != 1:
            grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
            picture = cv2.addWeighted(picture, self.colour, grey, 1 - self.colour, 0)
        if self.blur:
            picture = cv2.GaussianBlur(picture, (0, 0), self.blur)
        if self.smear:
            picture = cv2.blur(picture, (self.smear, 1))
        if self.noise:
            height, width = picture.shape[:2]
            grain = speckle(rng, (width, height)) * np.float32(self.noise)
            picture = cv2.add(picture, grain, dtype=cv2.CV_8U)
        if self.quality:
            _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self.quality])
            picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
        return picture
