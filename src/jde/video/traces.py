import numpy as np
from jaxtyping import Float32

from jde.structures.tracks import Tracks

LENGTH = 40
"""Positions kept per identity: a second or two of walking."""

FORGET_AFTER = 15
"""Frames after which an identity that is not seen is forgotten: memory stays flat, and who comes
back elsewhere draws no line across the picture."""


class _Trace:
    """The last positions of one identity, in an array that is cleared when it is full."""

    def __init__(self, length: int) -> None:
        self.seen = 0
        self._length = length
        self._feet = np.empty((2 * length, 2), np.float32)
        self._count = 0

    def add(self, feet: Float32[np.ndarray, "2"], frame: int) -> None:
        if self._count == len(self._feet):
            self._count = self._length - 1
            self._feet[: self._count] = self._feet[-self._count :] if self._count else 0
        self._feet[self._count] = feet
        self._count += 1
        self.seen = frame

    def points(self) -> Float32[np.ndarray, "n 2"]:
        return self._feet[max(self._count - self._length, 0) : self._count].copy()


class Traces:
    """Where the feet of each identity stood in the last frames."""

    def __init__(self, length: int = LENGTH) -> None:
        self._length = length
        self._frame = 0
        self._traces: dict[int, _Trace] = {}

    def __len__(self) -> int:
        return len(self._traces)

    def add(self, tracks: Tracks) -> None:
        """Take in the next frame."""
        self._frame += 1
        feet = np.stack([(tracks.boxes[:, 0] + tracks.boxes[:, 2]) / 2, tracks.boxes[:, 3]], axis=1)
        for identity, place in zip(tracks.ids.tolist(), feet, strict=True):
            trace = self._traces.pop(identity, None) or _Trace(self._length)
            trace.add(place, self._frame)
            self._traces[identity] = trace
        self._forget()

    def points(self, identity: int) -> Float32[np.ndarray, "n 2"]:
        """Return the last positions of an identity, oldest first."""
        trace = self._traces.get(identity)
        return trace.points() if trace else np.empty((0, 2), np.float32)

    def _forget(self) -> None:
        # Whoever was seen is put last, so the longest unseen come first.
        for identity in list(self._traces):
            if self._frame - self._traces[identity].seen <= FORGET_AFTER:
                break
            del self._traces[identity]
