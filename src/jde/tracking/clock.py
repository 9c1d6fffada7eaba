import math

import numpy as np
from jaxtyping import Float64

from jde.structures.errors import InputError

RESOLUTION_DIGITS = 3
"""Time is read to a thousandth of a frame: the noise of a constant rate's time stamps is none."""


class StreamClock:
    """Time of one stream, in frames of its nominal rate.

    Attributes:
        now: Time of the current frame.
        frames: Frames seen so far.
        usual_step: Time between the two frames before the current one; infinite at first.
        last_seconds: The last time stamp given, or None.
    """

    def __init__(self, frame_rate: float, *, counts_frames: bool) -> None:
        if not (math.isfinite(frame_rate) and frame_rate > 0):
            raise InputError(f"frame_rate must be above 0 frames per second, got {frame_rate}")
        self.frame_rate = frame_rate
        self.now = 0.0
        self.frames = 0
        self.usual_step = math.inf
        self.last_seconds: float | None = None
        self._counts_frames = counts_frames
        self._step = math.inf

    def advance(self, seconds: float | None) -> float:
        """Move to the next frame and return the time that passed, in nominal frames.

        Args:
            seconds: Time stamp of the frame; without it one nominal frame has passed.
        """
        step = self._elapsed(seconds)
        self.usual_step = self._step if self.frames > 1 else math.inf
        self._step = step
        self.now += step
        self.frames += 1
        self.last_seconds = seconds
        return step

    def state(self) -> Float64[np.ndarray, "5"]:
        """Return everything but the frame rate as numbers; no time stamp is NaN."""
        seconds = math.nan if self.last_seconds is None else self.last_seconds
        return np.array([self.now, self.frames, self.usual_step, self._step, seconds])

    def restore(self, state: Float64[np.ndarray, "5"]) -> None:
        """Go on from what `state` returned."""
        self.now, frames, self.usual_step, self._step, seconds = state.tolist()
        self.frames = int(frames)
        self.last_seconds = None if math.isnan(seconds) else seconds

    def _elapsed(self, seconds: float | None) -> float:
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
