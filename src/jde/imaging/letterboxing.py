import cv2
import numpy as np

from jde.structures.frame import Image
from jde.structures.letterbox import Letterbox, Size

PADDING_COLOUR = 128
"""Grey around the picture; the published 127.5 saturates to it on 8-bit images."""


def letterbox_image(
    image: Image, network: Size, *, rounded_padding: bool = False
) -> tuple[Image, Letterbox]:
    """Return `image` scaled and centred in a grey picture of `network` size, and the map used."""
    height, width = image.shape[:2]
    box = Letterbox.fit((width, height), network, rounded_padding=rounded_padding)
    canvas = np.full((network[1], network[0], 3), PADDING_COLOUR, np.uint8)
    left, _, top, _ = box.padding
    inside = canvas[top : top + box.resized[1], left : left + box.resized[0]]
    if box.resized == (width, height):
        inside[:] = image
    else:
        inside[:] = cv2.resize(image, box.resized, interpolation=cv2.INTER_AREA)
    return canvas, box
