from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from jde.model.network import JDENet
from jde.training.checkpoint import (
    Position,
    Snapshot,
    optimiser_state,
    restore_optimiser,
    with_prefix,
    without_prefix,
)
from jde.training.weight_average import WeightAverage

NETWORK, CRITERION, OPTIMISER, AVERAGE = "network", "criterion", "optimiser", "average"
RANDOM, SCALER = "random", "scaler."


@dataclass(frozen=True, slots=True)
class Learner:
    """All that changes while a network learns.

    Attributes:
        network: What learns.
        criterion: Its loss, which learns, too.
        optimiser: Over both.
        average: Averaged weights, where they are kept.
        scaler: Of 16-bit gradients, where they need one.
    """

    network: JDENet
    criterion: nn.Module
    optimiser: torch.optim.Optimizer
    average: WeightAverage | None = None
    scaler: Any = None

    def snapshot(self, position: Position) -> Snapshot:
        """Return everything needed to go on from `position`."""
        optimiser, scalars = optimiser_state(self.optimiser)
        tensors = {
            **with_prefix(NETWORK, self.network.state_dict()),
            **with_prefix(CRITERION, self.criterion.state_dict()),
            **with_prefix(OPTIMISER, optimiser),
            **with_prefix(RANDOM, {"cpu": torch.get_rng_state()}),
        }
        if self.average:
            tensors |= with_prefix(AVERAGE, self.average.network.state_dict())
        if self.scaler:
            scalars |= {SCALER + name: value for name, value in self.scaler.state_dict().items()}
        return Snapshot(position, tensors, scalars)

    def restore(self, snapshot: Snapshot) -> None:
        """Take over the state that `snapshot` returned.

        Raises:
            RuntimeError: It belongs to another network or set of identities.
            KeyError: It belongs to another optimiser.
            ValueError: Likewise.
        """
        tensors = snapshot.tensors
        self.network.load_state_dict(without_prefix(NETWORK, tensors))
        self.criterion.load_state_dict(without_prefix(CRITERION, tensors))
        if self.average:
            self.average.network.load_state_dict(without_prefix(AVERAGE, tensors))
        scalars = {k: v for k, v in snapshot.scalars.items() if not k.startswith(SCALER)}
        restore_optimiser(self.optimiser, without_prefix(OPTIMISER, tensors), scalars)
        scaler = {
            name.removeprefix(SCALER): value
            for name, value in snapshot.scalars.items()
            if name.startswith(SCALER)
        }
        if self.scaler and scaler:
            self.scaler.load_state_dict(scaler)
        torch.set_rng_state(without_prefix(RANDOM, tensors)["cpu"])
