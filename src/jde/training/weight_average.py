import copy

import torch

from jde.model.network import JDENet

YOUNG = 10
"""Steps that a fresh average is taken over, growing until `decay` is reached."""


class WeightAverage:
    """A network whose weights are the exponential average of those of another."""

    def __init__(self, network: JDENet, decay: float) -> None:
        """Start from the present weights of `network`."""
        self.network = copy.deepcopy(network).requires_grad_(requires_grad=False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: JDENet, steps: int) -> None:
        """Move towards the weights of `network` after `steps` steps; its buffers are taken over."""
        decay = min(self.decay, (1 + steps) / (YOUNG + steps))
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1 - decay)
        for mine, theirs in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(theirs)
