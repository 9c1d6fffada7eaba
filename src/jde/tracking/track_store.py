from collections.abc import Mapping

import numpy as np
from jaxtyping import Int64

from jde.structures.errors import InputError

START_SLOTS = 64

COLUMNS: dict[str, type[np.generic]] = {
    "ids": np.int64,
    "started": np.float64,
    "seen": np.float64,
    "scores": np.float32,
    "classes": np.int64,
    "confirmed": np.bool_,
    "condemned": np.bool_,
}


class TrackStore:
    """Tracks as columns: one slot for each track that lives, and a free list.

    Slots are taken again, so memory follows the largest number of tracks alive at once and not
    the number of frames.

    Attributes:
        ids: Identity.
        started: Time of the first detection, in nominal frames.
        seen: Time of the last detection, in nominal frames.
        scores: Confidence of the last detection.
        classes: Class of the first detection.
        confirmed: Whether the track is reported.
        condemned: Timed out once; the published programs drop such a track when it is next lost.
        motion: State of the motion filter, tracks along the last axis.
        features: Smoothed appearance.
    """

    def __init__(self, precision: str) -> None:
        self.ids = np.zeros(0, np.int64)
        self.started = np.zeros(0)
        self.seen = np.zeros(0)
        self.scores = np.zeros(0, np.float32)
        self.classes = np.zeros(0, np.int64)
        self.confirmed = np.zeros(0, np.bool_)
        self.condemned = np.zeros(0, np.bool_)
        self.motion = np.zeros((5, 4, 0), precision)
        self.features = np.zeros((0, 0), np.float32)
        self._free = np.zeros(0, np.int64)

    def set_embedding_dim(self, dim: int) -> None:
        """Give features `dim` columns; only before the first track."""
        self.features = np.zeros((len(self.ids), dim), np.float32)

    def claim(self, count: int) -> Int64[np.ndarray, " count"]:
        """Return free slots."""
        if count > len(self._free):
            self._grow(max(START_SLOTS, len(self.ids), count))
        slots, self._free = self._free[:count], self._free[count:]
        return slots

    def release(self, slots: Int64[np.ndarray, " k"]) -> None:
        """Forget tracks."""
        if len(slots):
            self._free = np.concatenate([self._free, slots])

    def export(self, slots: Int64[np.ndarray, " k"]) -> dict[str, np.ndarray]:
        """Return copies of all columns for tracks in the given order."""
        columns = {name: getattr(self, name)[slots] for name in COLUMNS}
        return columns | {"motion": self.motion[:, :, slots], "features": self.features[slots]}

    def load(self, columns: Mapping[str, np.ndarray]) -> Int64[np.ndarray, " k"]:
        """Fill an empty store with what `export` gave and return the slots, in its order."""
        count = len(columns["ids"])
        shapes = dict.fromkeys(COLUMNS, (count,)) | {"motion": (5, 4, count)}
        for name, shape in shapes.items():
            if columns[name].shape != shape:
                raise InputError(
                    f"{name} of the saved state has shape {columns[name].shape}, expected {shape}"
                )
        self.set_embedding_dim(columns["features"].shape[1])
        slots = self.claim(count)
        for name in COLUMNS:
            getattr(self, name)[slots] = columns[name]
        self.motion[:, :, slots] = columns["motion"]
        self.features[slots] = columns["features"]
        return slots

    def _grow(self, more: int) -> None:
        slots = np.arange(len(self.ids), len(self.ids) + more)
        for name, kind in COLUMNS.items():
            setattr(self, name, np.concatenate([getattr(self, name), np.zeros(more, kind)]))
        empty_motion = np.zeros((5, 4, more), self.motion.dtype)
        self.motion = np.concatenate([self.motion, empty_motion], axis=2)
        empty_features = np.zeros((more, self.features.shape[1]), np.float32)
        self.features = np.concatenate([self.features, empty_features])
        self._free = np.concatenate([self._free, slots])
