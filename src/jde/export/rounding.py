"""Weights on the grid of 8 bits, rounded so that their errors cancel out on pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, Shaped, UInt8
from torch import Tensor, nn

from jde.model.layers import ConvNorm

STEPS = 127
"""Steps of the grid from 0 to the largest weight of an output channel, on either side."""

MAX_COLUMNS = 1152
"""Weights of one output beyond which a convolution keeps its weights: with so many, errors cancel
out by themselves, and the moments would take long."""

PLACES = 1024
"""Places of each map that are looked at."""

DAMPING = 0.01
"""Part of the mean square of the inputs that keeps the equations solvable (GPTQ's value)."""

Moments = Float64[Tensor, "groups columns columns"]


class InputMoments:
    """Second moments of what a convolution reads, collected while it runs.

    Args:
        convolution: Watched until `stop`.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        self.convolution = convolution
        self.sum: Moments | None = None
        self._rng = torch.Generator().manual_seed(0)
        self._watch = convolution.register_forward_pre_hook(self._add)

    def stop(self) -> None:
        """Let the convolution run unwatched."""
        self._watch.remove()

    def _add(self, _: nn.Module, inputs: tuple[Tensor]) -> None:
        columns = self._sample(inputs[0]).double()
        found = columns.transpose(1, 2) @ columns
        self.sum = found if self.sum is None else self.sum + found

    def _sample(self, maps: Float[Tensor, "1 c h w"]) -> Float[Tensor, "groups places columns"]:
        one = self.convolution
        assert not isinstance(one.padding, str)
        (down, across), (side, _), step = one.padding, one.kernel_size, one.stride[0]
        padded = nn.functional.pad(maps[0], (across, across, down, down))
        windows = padded.unfold(1, side, step).unfold(2, side, step)
        rows, columns = (
            torch.randint(length, (PLACES,), generator=self._rng) for length in windows.shape[1:3]
        )
        patches = windows[:, rows, columns].reshape(one.groups, -1, PLACES, side, side)
        return patches.transpose(1, 2).flatten(2)


@torch.no_grad()
def round_weights(graph: nn.Module, pictures: Sequence[UInt8[np.ndarray, "1 h w 3"]]) -> None:
    """Put the weights of the convolutions onto the grid of 8 bits, in place; heads stay.

    Weights rounded to the nearest step are wrong each by itself, and where neighbouring inputs are
    alike, as pixels are, the errors add up. Here the error of each weight is made up for by those
    that are not rounded yet, so that the outputs on pictures change least (GPTQ, arXiv
    2210.17323). The largest weight of each output stays, so that a quantiser finds the same grid
    again and changes nothing.

    Args:
        graph: Takes the pictures; normalisation is folded into its convolutions.
        pictures: Like those the network will see.
    """
    layers = [module.conv for module in graph.modules() if isinstance(module, ConvNorm)]
    watched = [InputMoments(one) for one in layers if one.weight[0].numel() <= MAX_COLUMNS]
    for picture in pictures:
        graph(torch.from_numpy(picture))
    for each in watched:
        each.stop()
        weight = each.convolution.weight
        if each.sum is not None:
            rows = weight.reshape(each.convolution.groups, -1, weight[0].numel())
            weight.copy_(round_rows(rows, each.sum).reshape(weight.shape))


def round_rows(
    weights: Float[Tensor, "groups rows columns"],
    moments: Moments,
) -> Float[Tensor, "groups rows columns"]:
    """Return weights on the grid whose products with the inputs differ little.

    Args:
        weights: One row for each output.
        moments: Second moments of the inputs of each group.
    """
    largest = weights.abs().amax(dim=2, keepdim=True)
    step = torch.where(largest > 0, largest / STEPS, 1).squeeze(2).double()
    kept = weights.abs() == largest
    # Strong inputs first: what is left can then be made up for in the fine steps of weak ones.
    order = moments.diagonal(dim1=1, dim2=2).argsort(dim=1, descending=True)
    spread = uncertainty(sort_columns(sort_columns(moments, order).mT, order))
    original, kept = sort_columns(weights.double(), order), sort_columns(kept, order)
    rest = original.clone()
    for column in range(weights.shape[2]):
        exact = rest[:, :, column].clone()
        chosen = (exact / step).round().clamp(-STEPS, STEPS) * step
        chosen = torch.where(kept[:, :, column], original[:, :, column], chosen)
        error = (exact - chosen) / spread[:, column, column, None]
        rest[:, :, column:] -= error[:, :, None] * spread[:, None, column, column:]
        rest[:, :, column] = chosen
    return sort_columns(rest, order.argsort(dim=1)).to(weights.dtype)


def sort_columns(
    values: Shaped[Tensor, "groups rows columns"], order: Int64[Tensor, "groups columns"]
) -> Shaped[Tensor, "groups rows columns"]:
    """Return the columns of each group in an order of its own."""
    return values.gather(2, order[:, None].expand(-1, values.shape[1], -1))


def uncertainty(moments: Moments) -> Moments:
    """Return the upper Cholesky factor of the inverse of moments, which are damped a little."""
    size = moments.shape[1]
    squares = moments.diagonal(dim1=1, dim2=2)
    damping = DAMPING * squares.mean(dim=1) + torch.finfo(torch.float32).tiny
    damped = moments + damping[:, None, None] * torch.eye(size, dtype=moments.dtype)
    return torch.linalg.cholesky(torch.linalg.inv(damped), upper=True)
