"""Batches of noise for tests of the trainer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from jde.data.batch import Batch

SIZE = (32, 32)
IDENTITIES = 4


@dataclass
class DrawnFeed:
    """Batches of noise with people in it; `disturb` may do something before each."""

    length: int = 2
    size: int = 2
    disturb: Callable[[int, int], object] = min
    box: float = 12.0

    def __len__(self) -> int:
        return self.length

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        for index in range(start, self.length):
            self.disturb(number, index)
            yield self.batch(number, index)

    def batch(self, epoch: int, index: int) -> Batch:
        chance = torch.Generator().manual_seed(100 * epoch + index)
        shape = (self.size, SIZE[1], SIZE[0], 3)
        return Batch(
            torch.randint(0, 256, shape, generator=chance, dtype=torch.uint8).permute(0, 3, 1, 2),
            torch.tensor([[15.0, 16, self.box, 30]] * self.size),
            torch.randint(0, IDENTITIES, (self.size,), generator=chance),
            torch.arange(self.size),
            tuple(f"picture-{epoch}-{index}-{row}" for row in range(self.size)),
        )
