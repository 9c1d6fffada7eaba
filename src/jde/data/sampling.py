from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from jde.structures.errors import InputError


class Draw(NamedTuple):
    """One training picture of a run: together with the run's seed it fixes every random choice."""

    epoch: int
    picture: int


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """Which pictures each process sees in each batch of each epoch.

    All processes together see every picture of an epoch exactly once. What is left for the last
    two steps they share evenly: 51 pictures in steps of 12 make steps of 12, 12, 12, 8 and 7, none
    so small that its few pictures weigh much more than others. A step takes the same pictures
    however many processes share it and however many batches make it up.

    Attributes:
        pictures: Number of pictures in an epoch.
        batch_size: Pictures of a batch; fewer in the last steps. One more in the last step where
            a batch would be empty without it, which only a size of 1 can bring about.
        seed: Seed of the run: fixes the order of every epoch.
        process: Number of this process, from 0.
        processes: Number of processes.
        accumulate: Batches of a process that make up an optimiser step.
        shuffle: Show the pictures in another order each epoch.
    """

    pictures: int
    batch_size: int
    seed: int = 0
    process: int = 0
    processes: int = 1
    accumulate: int = 1
    shuffle: bool = True

    def __post_init__(self) -> None:
        if self.pictures < self._parts:
            raise InputError(
                f"{self.pictures} training pictures don't give each of the {self._parts} parts of "
                f"a step one ({self.processes} processes, accumulate {self.accumulate}); add "
                "pictures, or take fewer parts"
            )

    def __len__(self) -> int:
        """Return the number of batches in an epoch, the same for every process."""
        return (self._full_steps + self._last_steps) * self.accumulate

    def batches(self, epoch: int, first: int = 0) -> Iterator[list[Draw]]:
        """Yield the pictures of each batch of this process in `epoch` from batch `first` on."""
        order = np.arange(self.pictures)
        if self.shuffle:
            np.random.default_rng((self.seed, epoch)).shuffle(order)
        for number in range(first, len(self)):
            step, turn = divmod(number, self.accumulate)
            parts = np.array_split(self._pictures_of(step, order), self._parts)
            mine = parts[turn * self.processes + self.process]
            yield [Draw(epoch, index) for index in mine.tolist()]

    def _pictures_of(
        self, step: int, order: Int64[np.ndarray, " pictures"]
    ) -> Int64[np.ndarray, " _"]:
        """Return the pictures of a step of all processes."""
        if step < self._full_steps:
            return order[step * self._full : (step + 1) * self._full]
        last = np.array_split(order[self._full_steps * self._full :], self._last_steps)
        return last[step - self._full_steps]

    @property
    def _parts(self) -> int:
        return self.processes * self.accumulate

    @property
    def _full(self) -> int:
        return self._parts * self.batch_size

    @property
    def _full_steps(self) -> int:
        whole, rest = divmod(self.pictures, self._full)
        return max(whole - 1, 0) if rest else whole

    @property
    def _last_steps(self) -> int:
        left = self.pictures - self._full_steps * self._full
        return min(-(-left // self._full), left // self._parts)
