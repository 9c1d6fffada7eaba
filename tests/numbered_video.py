"""Small videos whose pictures tell their number and which way is up."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from jde.structures.frame import Image

SIZE = (64, 48)


def picture(number: int, size: tuple[int, int] = SIZE) -> Image:
    """Return a grey picture: brighter by number, red upper left, blue lower right."""
    image = np.full((size[1], size[0], 3), 40 + 4 * (number % 50), np.uint8)
    image[: size[1] // 3, : size[0] // 3] = (255, 0, 0)
    image[-(size[1] // 3) :, -(size[0] // 3) :] = (0, 0, 255)
    return image


def write_video(
    path: Path,
    *,
    count: int = 12,
    milliseconds: Sequence[int] | None = None,
    rotation: int = 0,
    index_first: bool = False,
) -> Path:
    """Encode numbered pictures at 25 frames per second or at given times."""
    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for number, stamp in enumerate(milliseconds or range(0, 40 * count, 40)):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
