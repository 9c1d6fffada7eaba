from dataclasses import dataclass

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from jde.video.colours import Colours

Plane = UInt8[np.ndarray, "_ _"]

DRAWABLE = ("yuv420p", "yuvj420p")
"""FFmpeg's names for 8 bits, with one value of each chroma for four of luma."""

TURNS = (None, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)
"""OpenCV's names for so many quarter turns."""


@dataclass(frozen=True, slots=True)
class Planes:
    """Luma and chroma of an upright picture of even sides, which may be drawn on and encoded.

    Attributes:
        frame: FFmpeg's frame; it owns the memory.
        colours: What the numbers mean.
    """

    frame: av.VideoFrame
    colours: Colours

    @classmethod
    def copy_of(cls, frame: av.VideoFrame, quarter_turns: int) -> "Planes | None":
        """Return a copy, turned to the left; None where the frame is of another kind.

        The decoder's own memory stays as it is: later frames are predicted from it.
        """
        colours = Colours.of(frame)
        odd = frame.width % 2 or frame.height % 2
        if frame.format.name not in DRAWABLE or odd or colours is None:
            return None
        sideways = quarter_turns % 2
        width, height = (frame.height, frame.width) if sideways else (frame.width, frame.height)
        copied = cls(av.VideoFrame(width, height, "yuv420p"), colours)
        colours.mark(copied.frame)
        for target, source in zip(copied.arrays, _arrays(frame), strict=True):
            turn = TURNS[quarter_turns]
            target[:] = source if turn is None else cv2.rotate(source, turn)
        return copied

    @property
    def arrays(self) -> tuple[Plane, Plane, Plane]:
        """Luma, and both chroma at half the size."""
        return _arrays(self.frame)


def _arrays(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    luma, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    )
    return luma, u, v
