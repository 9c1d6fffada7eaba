from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from jde.model.darknet import Pyramid
from jde.model.layers import ConvNorm, SeparableConvNorm, leaky

MakeConv3x3 = Callable[[int, int], nn.Module]
"""Inputs and outputs to a normalised, activated 3x3 convolution."""


class LevelFeatures(NamedTuple):
    """What the neck hands to the head of one level."""

    route: Float[Tensor, "n c h w"]
    """Feeds the embedding, and the next finer level; the backbone's finest map, on the finest level
    of a network that reads appearance there."""
    tip: Float[Tensor, "n d h w"]
    """Feeds boxes and objectness."""


class PyramidLevel(nn.Module):
    """Six convolutions that alternate between 1x1 and 3x3 (specification, section 3.2)."""

    def __init__(self, inputs: int, channels: int, conv3x3: MakeConv3x3) -> None:
        super().__init__()
        self.to_route = nn.Sequential(
            conv1x1(inputs, channels),
            conv3x3(channels, 2 * channels),
            conv1x1(2 * channels, channels),
            conv3x3(channels, 2 * channels),
            conv1x1(2 * channels, channels),
        )
        self.to_tip = conv3x3(channels, 2 * channels)

    def forward(self, maps: Float[Tensor, "n c h w"]) -> LevelFeatures:
        """Return route and tip."""
        route = self.to_route(maps)
        return LevelFeatures(route, self.to_tip(route))


class FeaturePyramid(nn.Module):
    """Brings coarse knowledge to finer maps: the neck of YOLOv3.

    Args:
        inputs: Channels of the backbone's maps at strides 8, 16 and 32.
        channels: Channels of the routes at strides 32, 16 and 8.
        conv3x3: Makes the 3x3 convolutions, full or separable.
    """

    def __init__(
        self, inputs: tuple[int, ...], channels: tuple[int, int, int], conv3x3: MakeConv3x3
    ) -> None:
        super().__init__()
        coarse, middle, fine = channels
        self.levels = nn.ModuleList(
            [
                PyramidLevel(inputs[2], coarse, conv3x3),
                PyramidLevel(inputs[1] + coarse // 2, middle, conv3x3),
                PyramidLevel(inputs[0] + middle // 2, fine, conv3x3),
            ]
        )
        self.transitions = nn.ModuleList(
            [conv1x1(coarse, coarse // 2), conv1x1(middle, middle // 2)]
        )

    def forward(self, maps: Pyramid) -> list[LevelFeatures]:
        """Return the features of the levels, coarse to fine."""
        fine, middle, coarse = maps
        features = [self.levels[0](coarse)]
        for level, transition, finer in zip(
            self.levels[1:], self.transitions, (middle, fine), strict=True
        ):
            raised = functional.interpolate(transition(features[-1].route), scale_factor=2.0)
            features.append(level(torch.cat([raised, finer], dim=1)))
        return features


def conv1x1(inputs: int, outputs: int) -> nn.Module:
    """Return a 1x1 convolution across channels."""
    return ConvNorm(inputs, outputs, kernel=1, activation=leaky())


def full_conv3x3(inputs: int, outputs: int) -> nn.Module:
    """Return the 3x3 convolution of the published network."""
    return ConvNorm(inputs, outputs, kernel=3, activation=leaky())


def separable_conv3x3(inputs: int, outputs: int) -> nn.Module:
    """Return the cheaper 3x3 convolution of the compact networks."""
    return SeparableConvNorm(inputs, outputs)
