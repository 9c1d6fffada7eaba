from typing import NamedTuple

import cv2
import numpy as np

from jde.structures.frame import Image, Picture, size_of
from jde.structures.letterbox import Letterbox, Size

PADDING_COLOUR = 128
"""Grey around the picture; the published 127.5 saturates to it on 8-bit images."""


class Fitted(NamedTuple):
    """A picture brought to the network's input, and the map that was used."""

    image: Image
    letterbox: Letterbox


def letterbox_image(
    picture: Image | Picture, network: Size, *, rounded_padding: bool = False
) -> Fitted:
    """Return a picture scaled and centred in a grey one of `network` size, and the map used.

    Pixels are scaled as the authors' program scales them. A picture that makes its pixels on demand
    is asked for as many as are needed, which spares making and reading all of them.
    """
    box = Letterbox.fit(size_of(picture), network, rounded_padding=rounded_padding)
    canvas = np.full((network[1], network[0], 3), PADDING_COLOUR, np.uint8)
    left, _, top, _ = box.padding
    inside = canvas[top : top + box.resized[1], left : left + box.resized[0]]
    inside[:] = scale(picture, box.resized)
    return Fitted(canvas, box)


def scale(picture: Image | Picture, size: Size) -> Image:
    """Return the RGB pixels of a picture at another size: averages of areas where it shrinks."""
    full = size_of(picture)
    if not isinstance(picture, np.ndarray):
        if size[0] < full[0] and size[1] < full[1]:
            return picture.scaled_down(size)
        picture = picture.whole()
    return picture if size == full else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
