"""From RGB to the luma and chroma of a video, as its frames say."""

from typing import NamedTuple

import av
from av.video.codeccontext import VideoCodecContext

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

UNSAID = 2
"""Number of H.273 for a matrix, primaries or a transfer that a video doesn't say."""

LIMITED, FULL = 1, 2
"""FFmpeg's numbers for luma from 16 to 235, and for luma from 0 to 255."""

RED_AND_BLUE = {
    1: (0.2126, 0.0722),
    UNSAID: (0.299, 0.114),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Parts of red and blue in the luma, by the matrix's number: H.273, table 4. Where none is said,
FFmpeg converts by BT.601."""


class Colours(NamedTuple):
    """How the numbers of a video stand for colours; matrix, primaries and transfer as in H.273."""

    matrix: int
    range: int
    primaries: int = UNSAID
    transfer: int = UNSAID

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "Colours | None":
        """Return the colours of a decoded frame; None where its matrix is a rare one."""
        if frame.colorspace not in RED_AND_BLUE:
            return None
        full = frame.format.name.startswith("yuvj") or frame.color_range == FULL
        return cls(
            int(frame.colorspace),
            FULL if full else int(frame.color_range),
            int(frame.color_primaries),
            int(frame.color_trc),
        )

    def mark(self, stated: av.VideoFrame | VideoCodecContext) -> None:
        """Say in a frame or in a file to be encoded what its numbers mean."""
        stated.colorspace, stated.color_range = self.matrix, self.range
        stated.color_primaries, stated.color_trc = self.primaries, self.transfer

    def of_colour(self, colour: Colour) -> Colour:
        """Return luma and both chroma of an RGB colour: H.273, equations 23 to 40."""
        red_part, blue_part = RED_AND_BLUE[self.matrix]
        red, green, blue = (part / 255 for part in colour)
        luma = red_part * red + (1 - red_part - blue_part) * green + blue_part * blue
        chroma = (blue - luma) / (2 - 2 * blue_part), (red - luma) / (2 - 2 * red_part)
        if self.range == FULL:
            u, v = (min(round(128 + 255 * part), 255) for part in chroma)
            return round(255 * luma), u, v
        u, v = (round(128 + 224 * part) for part in chroma)
        return round(16 + 219 * luma), u, v


PLAIN = Colours(matrix=5, range=LIMITED)
"""What OpenCV makes of RGB: BT.601 in the limited range."""
