from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64


@dataclass(frozen=True, slots=True)
class Tracks:
    """The confirmed tracks of one frame.

    Attributes:
        ids: Identity of each track, counted from 1 by the tracker that made it.
        boxes: Corner boxes in pixels of the original image.
        scores: Confidence of the detection that each track last took.
        classes: Class of each track.
    """

    ids: Int64[np.ndarray, " n"]
    boxes: Float32[np.ndarray, "n 4"]
    scores: Float32[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"]

    def __post_init__(self) -> None:
        rows = [len(self.ids), len(self.boxes), len(self.scores), len(self.classes)]
        if len(set(rows)) != 1:
            raise ValueError(
                "ids, boxes, scores and classes must have one row per track, got "
                f"{rows[0]}, {rows[1]}, {rows[2]} and {rows[3]}"
            )

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def empty(cls) -> "Tracks":
        """Return the tracks of a frame without people."""
        return cls(
            np.zeros(0, np.int64),
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.int64),
        )

    def where(self, keep: Bool[np.ndarray, " n"]) -> "Tracks":
        """Return the tracks for which `keep` is true."""
        return type(self)(self.ids[keep], self.boxes[keep], self.scores[keep], self.classes[keep])
