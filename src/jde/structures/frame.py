from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

Image = UInt8[np.ndarray, "_ _ 3"]
"""A picture (height, width, 3): RGB, 8 bits a channel, row by row from the top."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a video.

    Attributes:
        image: RGB pixels, upright.
        index: Position in the source, counted from 1.
        seconds: Time of presentation since the start of the source.
    """

    image: Image
    index: int
    seconds: float
