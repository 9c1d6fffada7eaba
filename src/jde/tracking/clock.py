import math

from jde.structures.errors import InputError

RESOLUTION_DIGITS = 3
"""Time is read to a thousandth of a frame: the noise of a constant rate's time stamps is none."""


class StreamClock:
    """Time of one stream, in frames of its nominal rate.

    Attributes:
        now: Time of the current frame.
        frames: Frames seen so far.
        last_seconds: The last time stamp given, or None.
    """

    def __init__(self, frame_rate: float, *, counts_frames: bool) -> None:
        if not (math.isfinite(frame_rate) and frame_rate > 0):
            raise InputError(f"frame_rate must be above 0 frames per second, got {frame_rate}")
        self.frame_rate = frame_rate
        self.now = 0.0
        self.frames = 0
        self.last_seconds: float | None = None
        self._counts_frames = counts_frames

    def advance(self, seconds: float | None) -> float:
        """Move to the next frame and return the time that passed, in nominal frames.

        Args:
            seconds: Time stamp of the frame; without it one nominal frame has passed.
        """
        step = self._step(seconds)
        self.now += step
        self.frames += 1
        self.last_seconds = seconds
        return step

    def _step(self, seconds: float | None) -> float:
        if seconds is None or self._counts_frames:
            return 1.0
        if not math.isfinite(seconds):
            raise InputError(f"seconds must be a finite time stamp, got {seconds}")
        if self.last_seconds is None:
            return 1.0
        if seconds < self.last_seconds:
            raise InputError(
                f"time went back from {self.last_seconds} to {seconds} seconds: give frames in "
                "order, and make a new Tracker for a new video"
            )
        return float(round((seconds - self.last_seconds) * self.frame_rate, RESOLUTION_DIGITS))
