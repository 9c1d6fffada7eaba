from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jde.structures.errors import InputError


class Draw(NamedTuple):
    """One training picture of a run: together with the run's seed it fixes every random choice."""

    epoch: int
    picture: int


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """Which pictures each process sees in each step of each epoch.

    All processes together see every picture of an epoch exactly once. A step takes the same
    pictures however many processes share it, as long as `batch_size * processes` is the same; only
    a last step too short for every process to get a picture joins the step before it.

    Attributes:
        pictures: Number of pictures in an epoch.
        batch_size: Pictures a step for one process.
        seed: Seed of the run: fixes the order of every epoch.
        process: Number of this process, from 0.
        processes: Number of processes.
        drop_last: Leave out the pictures that don't fill the last step.
        shuffle: Show the pictures in another order each epoch.
    """

    pictures: int
    batch_size: int
    seed: int = 0
    process: int = 0
    processes: int = 1
    drop_last: bool = False
    shuffle: bool = True

    def __post_init__(self) -> None:
        needed = self.batch_size * self.processes if self.drop_last else self.processes
        if self.pictures < needed:
            raise InputError(
                f"{self.pictures} training pictures don't fill one step of {needed}; "
                "add pictures, or lower the batch size or the number of processes"
            )

    def __len__(self) -> int:
        """Return the number of steps in an epoch, the same for every process."""
        whole, rest = divmod(self.pictures, self.batch_size * self.processes)
        return whole + self._has_short_step(rest)

    def steps(self, epoch: int, first: int = 0) -> Iterator[list[Draw]]:
        """Yield the pictures of each step of `epoch` from step `first` on."""
        order = np.arange(self.pictures)
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        together = self.batch_size * self.processes
        for step in range(first, len(self)):
            shared = order[step * together : (step + 1) * together]
            if step == len(self) - 1 and not self.drop_last:
                shared = order[step * together :]
            mine = np.array_split(shared, self.processes)[self.process]
            yield [Draw(epoch, index) for index in mine.tolist()]

    def _has_short_step(self, rest: int) -> bool:
        return not self.drop_last and rest >= self.processes
