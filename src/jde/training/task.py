"""Network and loss as the one module that processes share and gradients flow through."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from jde.data.batch import Batch
from jde.losses.criterion import Average, JDECriterion, LossParts
from jde.model.box_points import FINEST
from jde.model.network import JDENet, head

WHITE = 255


class TrainingTask(nn.Module):
    """From a batch to its loss."""

    def __init__(
        self,
        network: JDENet,
        criterion: JDECriterion,
        *,
        channels_last: bool = True,
        average: Average | None = None,
    ) -> None:
        """Make the task.

        Args:
            network: What learns.
            criterion: What it should have said.
            channels_last: Memory order of the pictures.
            average: Mean of a tensor over all processes, None where there is one.
        """
        super().__init__()
        self.network = network
        self.criterion = criterion
        self.channels_last = channels_last
        self.average = average

    def forward(self, batch: Batch) -> LossParts:
        """Return the loss of a batch."""
        outputs = self.network(self.to_unit(batch.images))
        losses: LossParts = self.criterion(outputs, batch, self.average)
        return losses

    def to_unit(self, images: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """Return pictures in [0, 1]."""
        order = torch.channels_last if self.channels_last else torch.contiguous_format
        return images.to(torch.float32, memory_format=order).div_(WHITE)


class FrozenStages:
    """The first stages of a backbone, held still: neither weights nor statistics move.

    Args:
        backbone: DarkNet-53 or the compact backbone: a stem and a list of stages.
        count: How many stages to hold, besides the stem; 0 holds nothing.
    """

    def __init__(self, backbone: nn.Module, count: int) -> None:
        self._held: list[nn.Module] = []
        if count:
            stages = backbone.get_submodule("stages").children()
            self._held = [backbone.get_submodule("stem"), *stages][: count + 1]
        for part in self._held:
            part.requires_grad_(requires_grad=False)

    def settle(self) -> None:
        """Put the held parts back into evaluation after the whole network went into training."""
        for part in self._held:
            part.eval()


def freeze_norm(network: nn.Module) -> None:
    """Keep scale and shift of all batch normalisation; its statistics still move."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001 (the only common base)
            module.requires_grad_(requires_grad=False)


def keep_fitted_embedding(network: JDENet) -> None:
    """Hold an embedding that is read at points: cells of anchors would teach it something else."""
    if network.config.appearance_points:
        head(network, FINEST).embedding.requires_grad_(requires_grad=False)
