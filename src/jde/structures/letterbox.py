from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

STRIDE = 32
"""Coarsest stride of the network: input sizes are multiples of it."""

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was scaled and centred to fill the network's input; the only map of pixels.

    A point of the picture lies at `x * scale + left`, `y * scale + top` in the network's input.
    `left` and `top` are the unrounded halves of the remaining space (specification, section 2.2);
    the padding really applied may be up to half a pixel away and is `padding`.

    Attributes:
        scale: Pixels of the network's input for one pixel of the picture.
        left: Empty columns before the picture, unrounded.
        top: Empty rows above the picture, unrounded.
        resized: Width and height of the scaled picture.
        padding: Whole columns and rows (left, right, top, bottom) around the scaled picture.
    """

    scale: float
    left: float
    top: float
    resized: Size
    padding: tuple[int, int, int, int]

    @classmethod
    def fit(cls, image: Size, network: Size, *, rounded_padding: bool = False) -> "Letterbox":
        """Return the letterbox that brings an `image` size into a `network` size.

        Args:
            image: Width and height of the picture.
            network: Width and height of the network's input.
            rounded_padding: Measure `left` and `top` from the rounded size of the scaled picture,
                as PaddleDetection does, instead of the exact one.
        """
        scale = min(network[1] / image[1], network[0] / image[0])
        exact = image[0] * scale, image[1] * scale
        resized = round(exact[0]), round(exact[1])
        across, down = (network[0] - resized[0]) / 2, (network[1] - resized[1]) / 2
        basis = resized if rounded_padding else exact
        return cls(
            scale=scale,
            left=(network[0] - basis[0]) / 2,
            top=(network[1] - basis[1]) / 2,
            resized=resized,
            # An odd remainder puts the larger half right and below.
            padding=(
                round(across - 0.1),
                round(across + 0.1),
                round(down - 0.1),
                round(down + 0.1),
            ),
        )

    def to_image(self, boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
        """Return corner boxes of the network's input in pixels of the picture, not below 0."""
        shift = np.array([self.left, self.top, self.left, self.top], boxes.dtype)
        return np.maximum((boxes - shift) / boxes.dtype.type(self.scale), 0)

    def to_network(self, boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, "n 4"]:
        """Return corner boxes of the picture in pixels of the network's input.

        Labels are moved by half the whole padding, also where it is odd (specification, section
        11), so that networks learn places between the two halves.
        """
        left, right, top, bottom = self.padding
        shift = np.array([left + right, top + bottom] * 2, boxes.dtype) / 2
        return boxes * boxes.dtype.type(self.scale) + shift
