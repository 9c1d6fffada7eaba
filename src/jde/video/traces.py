from collections import deque
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from jde.structures.tracks import Tracks

LENGTH = 40
"""Positions kept per identity: a second or two of walking."""

FORGET_AFTER = 15
"""Frames after which an identity that is not seen is forgotten: memory stays flat, and who comes
back elsewhere draws no line across the picture."""


class _Trace(NamedTuple):
    feet: deque[tuple[float, float]]
    seen: int


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
        for identity, (x, y) in zip(tracks.ids.tolist(), feet.tolist(), strict=True):
            known = self._traces.pop(identity, None)
            trail = known.feet if known else deque(maxlen=self._length)
            trail.append((x, y))
            self._traces[identity] = _Trace(trail, self._frame)
        self._forget()

    def points(self, identity: int) -> Float32[np.ndarray, "n 2"]:
        """Return the last positions of an identity, oldest first."""
        trace = self._traces.get(identity)
        return np.array(trace.feet if trace else [], np.float32).reshape(-1, 2)

    def _forget(self) -> None:
        # Whoever was seen is put last, so the longest unseen come first.
        for identity in list(self._traces):
            if self._frame - self._traces[identity].seen <= FORGET_AFTER:
                break
            del self._traces[identity]
