from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from jde.structures.errors import InputError

OTHER = -1
"""Class of a row that is none of the network's."""


@dataclass(frozen=True, slots=True)
class ClassColumn:
    """What the numbers in the class column of labels mean to a network.

    Attributes:
        count: Classes of the network.
        numbers: The number that stands for each of them; empty for those of the layout.
    """

    count: int = 1
    numbers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.numbers and len(self.numbers) != self.count:
            raise InputError(
                f"class_numbers must hold a number for each of the network's {self.count} classes, "
                f"got {len(self.numbers)}"
            )

    def read(
        self, column: Int64[np.ndarray, " n"], layout: Sequence[int]
    ) -> Int64[np.ndarray, " n"]:
        """Return the network's class of each row, `OTHER` where it is none of them.

        Args:
            column: What the labels say.
            layout: The numbers of the classes where the user gave none.
        """
        classes = np.full(len(column), OTHER, np.int64)
        for place, number in enumerate(self.numbers or layout):
            classes[column == number] = place
        return classes
