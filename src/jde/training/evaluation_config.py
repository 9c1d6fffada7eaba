from dataclasses import dataclass
from typing import Literal

Metric = Literal["mota", "idf1", "hota", "ap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """What a network is scored on while it learns; nothing named scores nothing.

    Attributes:
        sequences: MOTChallenge sequences, or folders of them, to track people in.
        pictures: Labelled pictures to find and tell people in: list files, folders or sequences.
        class_numbers: The number of each of the network's classes in the labels of `pictures`,
            where they aren't those of the layout.
        every: Epochs between two scores; 0 never scores. The last epoch is always scored.
        metric: Score by which the best weights are chosen; `ap` needs pictures, the others
            sequences.
        patience: Scores in a row without a better one after which the run ends; 0 never ends it.
    """

    sequences: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    class_numbers: tuple[int, ...] = ()
    every: int = 1
    metric: Metric = "mota"
    patience: int = 0

    def __post_init__(self) -> None:
        if self.every < 0 or self.patience < 0:
            raise ValueError("every and patience must not be negative")
        needed = "pictures" if self.metric == "ap" else "sequences"
        if self.is_on and not getattr(self, needed):
            raise ValueError(f"metric {self.metric} needs {needed}: name some, or choose another")

    @property
    def is_on(self) -> bool:
        """Return whether anything is to be scored."""
        return bool(self.every and (self.sequences or self.pictures))

    def is_due(self, epoch: int, epochs: int) -> bool:
        """Return whether to score after `epoch` of `epochs` epochs, counted from 1."""
        return self.is_on and (epoch % self.every == 0 or epoch == epochs)
