"""Channels brought to one range before 8 bits are shared out among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from jde.model.layers import ConvNorm, SeparableConvNorm
from jde.model.mobilenet import InvertedResidual, MobileNet
from jde.model.network import JDENet
from jde.model.pyramid import PyramidLevel

Part = TypeVar("Part", bound=nn.Module)

MAX_SCALE = 64.0
"""A channel that hardly ever speaks is raised no further."""

CEILING = 4.0
"""Largest value that a channel below a ReLU6 is raised to: it keeps half as much again in reserve
before it is clipped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Channels:
    """Channels that one range of 8 bits has to hold.

    Attributes:
        makers: Convolutions that add to them.
        maps: Modules whose outputs they are.
        readers: Convolutions that read them, and nothing else does; each with the number of its
            first input that is one of them.
    """

    makers: list[ConvNorm]
    maps: list[nn.Module]
    readers: list[tuple[ConvNorm, int]]

    def scale_up(self, scale: Float[Tensor, " channels"]) -> None:
        """Multiply the channels, and divide where they are read."""
        for maker in self.makers:
            assert maker.conv.bias is not None
            maker.conv.weight *= scale[:, None, None, None]
            maker.conv.bias *= scale
        for reader, first in self.readers:
            if reader.conv.groups > 1:
                reader.conv.weight /= scale[:, None, None, None]
            else:
                reader.conv.weight[:, first : first + len(scale)] /= scale[:, None, None]


@torch.no_grad()
def equalise(
    network: JDENet, graph: nn.Module, pictures: Sequence[UInt8[np.ndarray, "1 h w 3"]]
) -> None:
    """Raise the weak channels of a compact network, in place; others stay.

    All channels of a map share one range of 8 bits; in MobileNetV2's first map some reach 3 and
    others 0.07, which leaves these six steps. A factor on a channel and its inverse where it is
    read cancel out exactly, since the activation between them is none, or linear on either side of
    0 (after Nagel et al., arXiv 1906.04721, with the ranges of pictures in place of weights).

    Args:
        network: Its normalisation is folded into its convolutions.
        graph: Runs the network on pictures.
        pictures: Like those the network will see.
    """
    if not isinstance(network.backbone, MobileNet):
        return
    places = [*filtered_channels(network), *streams(network)]
    for place, peak in zip(places, measure_peaks(graph, places, pictures), strict=True):
        wanted = peak.max() / peak
        if isinstance(place.makers[0].activation, nn.ReLU6):
            wanted = wanted.minimum(CEILING / peak)
        place.scale_up(torch.where(peak > 0, wanted, 1).clamp(1, MAX_SCALE))


def filtered_channels(network: JDENet) -> Iterator[Channels]:
    """Yield the channels that only a depthwise convolution reads."""
    for maker, reader in filtered_pairs(network):
        yield Channels(makers=[maker], maps=[maker], readers=[(reader, 0)])


def filtered_pairs(network: JDENet) -> Iterator[tuple[ConvNorm, ConvNorm]]:
    """Yield each depthwise convolution behind the only convolution that it reads."""
    assert isinstance(network.backbone, MobileNet)
    blocks = parts(network.backbone, InvertedResidual)
    yield network.backbone.stem, blocks[0].filter
    for block in blocks:
        if isinstance(block.widen, ConvNorm):
            yield block.widen, block.filter
    for level in parts(network.pyramid, PyramidLevel):
        for first, second in pairwise(level.to_route):
            if isinstance(first, ConvNorm) and isinstance(second, SeparableConvNorm):
                yield first, second.depthwise


def streams(network: JDENet) -> Iterator[Channels]:
    """Yield the narrow channels of each stage of the backbone, to which its blocks add."""
    backbone = network.backbone
    assert isinstance(backbone, MobileNet)
    stages = [parts(stage, InvertedResidual) for stage in backbone.stages]
    fine_to_coarse = reversed(parts(network.pyramid, PyramidLevel))
    levels = dict(zip(backbone.taps, fine_to_coarse, strict=True))
    for number, blocks in enumerate(stages):
        if network.config.appearance_points and number == backbone.taps[0]:
            continue  # Our own code reads this map too, with kernels of its own.
        following = stages[number + 1][:1] if number + 1 < len(stages) else []
        widens = [block.widen for block in [*blocks[1:], *following]]
        readers = [(one, 0) for one in widens if isinstance(one, ConvNorm)]
        if number in levels:
            reader = levels[number].to_route[0]
            assert isinstance(reader, ConvNorm)
            # What comes from the coarser level lies before the backbone's own channels.
            own = blocks[-1].narrow.conv.out_channels
            readers.append((reader, reader.conv.in_channels - own))
        yield Channels(
            makers=[block.narrow for block in blocks],
            maps=[*blocks, *(block.narrow for block in blocks)],
            readers=readers,
        )


def parts(module: nn.Module, kind: type[Part]) -> list[Part]:
    """Return the modules of a kind within another, in order."""
    return [one for one in module.modules() if isinstance(one, kind)]


def measure_peaks(
    graph: nn.Module,
    places: Sequence[Channels],
    pictures: Sequence[UInt8[np.ndarray, "1 h w 3"]],
) -> list[Float[Tensor, " channels"]]:
    """Return the largest size that each channel of each place reaches on pictures."""
    peaks = [torch.zeros(place.makers[0].conv.out_channels) for place in places]

    def watch(module: nn.Module, peak: Tensor) -> torch.utils.hooks.RemovableHandle:
        def note(_: nn.Module, __: object, answer: Tensor) -> None:
            torch.maximum(peak, answer.abs().amax(dim=(0, 2, 3)), out=peak)

        return module.register_forward_hook(note)

    watches = [
        watch(module, peak)
        for place, peak in zip(places, peaks, strict=True)
        for module in place.maps
    ]
    for picture in pictures:
        graph(torch.from_numpy(picture))
    for each in watches:
        each.remove()
    return peaks
