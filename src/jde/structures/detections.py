from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Int64


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector saw in one frame.

    Attributes:
        boxes: Corner boxes in pixels of the original image.
        scores: Confidence of each box, from 0 to 1.
        embeddings: Appearance of each box as unit vectors; zero columns where a detector has none.
        classes: Number of the class of each box, 0 where only people are detected.
    """

    boxes: Float32[np.ndarray, "n 4"]
    scores: Float32[np.ndarray, " n"]
    embeddings: Float32[np.ndarray, "rows dim"] = field(
        default_factory=lambda: np.zeros((0, 0), np.float32)
    )
    classes: Int64[np.ndarray, " k"] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        # Nothing given stands for "none of them has one", whatever the number of boxes.
        if self.embeddings.shape == (0, 0):
            object.__setattr__(self, "embeddings", np.zeros((len(self.boxes), 0), np.float32))
        if not len(self.classes):
            object.__setattr__(self, "classes", np.zeros(len(self.boxes), np.int64))
        rows = [len(self.boxes), len(self.scores), len(self.embeddings), len(self.classes)]
        if len(set(rows)) != 1:
            raise ValueError(
                "boxes, scores, embeddings and classes must have one row per detection, got "
                f"{rows[0]}, {rows[1]}, {rows[2]} and {rows[3]}"
            )

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls, embedding_dim: int = 0) -> "Detections":
        """Return the detections of a frame without people."""
        return cls(
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, embedding_dim), np.float32),
        )

    def where(self, keep: Bool[np.ndarray, " n"] | Int64[np.ndarray, " k"]) -> "Detections":
        """Return the detections that `keep` selects, as a mask or as row numbers."""
        return type(self)(
            self.boxes[keep], self.scores[keep], self.embeddings[keep], self.classes[keep]
        )
