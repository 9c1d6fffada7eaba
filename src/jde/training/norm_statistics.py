"""Where batch normalisation takes its statistics from while a network learns."""

from typing import Any, Literal

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

Statistics = Literal["process", "all", "fixed"]


class FixedNorm(nn.BatchNorm2d):
    """Batch normalisation that never leaves the statistics it starts with."""

    def train(self, mode: bool = True) -> "FixedNorm":  # noqa: ARG002, FBT001, FBT002 (PyTorch's signature)
        """Stay in evaluation."""
        super().train(mode=False)
        return self


class SyncedNorm(nn.BatchNorm2d):
    """Batch normalisation over the pictures of all processes, on any device."""

    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:  # noqa: A002 (PyTorch's name)
        """Return the normalised maps; in training all processes have to call it together."""
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(input)
        maps = input.to(torch.promote_types(input.dtype, torch.float32))
        axes = (0, 2, 3)
        own = torch.cat([maps.sum(axes), maps.new_tensor([maps.numel() / maps.shape[1]])])
        whole = total(own)
        count = whole[-1]
        mean = whole[:-1] / count
        centred = maps - mean[:, None, None]
        variance = total(centred.square().sum(axes)) / count
        self._remember(mean.detach(), variance.detach() * count.detach() / (count.detach() - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Float[Tensor, " c"], variance: Float[Tensor, " c"]) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)


class _Total(torch.autograd.Function):
    """A sum over all processes; a gradient flows back to each of them."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004 (signature of Function)
        summed = values.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004 (ditto)
        summed = gradient.clone()
        dist.all_reduce(summed)
        return summed


def total(values: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """Return the sum over all processes."""
    summed: Tensor = _Total.apply(values)  # type: ignore[no-untyped-call]
    return summed


def set_statistics(network: nn.Module, statistics: Statistics, device: torch.device) -> None:
    """Let every batch normalisation of `network` take its statistics as `statistics` says.

    Args:
        network: Changed in place; its weights stay.
        statistics: `process` takes those of a process's own pictures, `all` of all processes',
            `fixed` keeps those that are there.
        device: NVIDIA GPUs use PyTorch's own synchronised normalisation.
    """
    if statistics == "all" and device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    elif statistics != "process":
        for module in network.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = SyncedNorm if statistics == "all" else FixedNorm
