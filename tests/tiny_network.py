"""A network that is compiled in seconds: the pyramid and heads of all, under five convolutions."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from jde.model.builders import make_heads
from jde.model.darknet import Pyramid
from jde.model.layers import ConvNorm, leaky
from jde.model.network import JDENet, head
from jde.model.presets import find_preset
from jde.model.pyramid import FeaturePyramid, full_conv3x3

SIZE = (128, 96)
CHANNELS = 4
EMBEDDING = 8


class TinyBackbone(nn.Module):
    """Halves the picture five times."""

    def __init__(self) -> None:
        super().__init__()
        first, *others = (
            ConvNorm(inputs, CHANNELS, kernel=3, stride=2, activation=leaky())
            for inputs in (3, *[CHANNELS] * 4)
        )
        self.fine = nn.Sequential(first, *others[:2])
        self.middle, self.coarse = others[2:]

    def forward(self, images: Tensor) -> Pyramid:
        """Return the maps at strides 8, 16 and 32."""
        fine = self.fine(images)
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


def tiny_network() -> JDENet:
    """Return a network with random weights whose normalisation fits noise."""
    routes = (CHANNELS, CHANNELS, CHANNELS)
    config = replace(find_preset("jde-nano", size=SIZE), embedding_dim=EMBEDDING)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = JDENet(
            config,
            backbone=TinyBackbone(),
            pyramid=FeaturePyramid(routes, routes, full_conv3x3),
            heads=make_heads(routes, config, CHANNELS),
        ).train()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None
        network(torch.rand(4, 3, SIZE[1], SIZE[0]))
        for level in range(3):
            bias = head(network, level).detection.bias
            assert bias is not None
            bias.view(4, 6)[:, -1] = 1.0
    return network.eval()
