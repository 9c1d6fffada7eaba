"""A random network whose outputs vary as those of a trained one."""

from dataclasses import replace

import torch

from jde.model.builders import build_network
from jde.model.network import JDENet
from jde.model.presets import find_preset

SIZE = (128, 96)


def lively_network(
    size: tuple[int, int] = SIZE, classes: tuple[str, ...] = ("person",), points: int = 0
) -> JDENet:
    """Return a `nano` whose normalisation fits noise, and which sees people everywhere."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = build_network(
            replace(find_preset("jde-nano", size=size), classes=classes, appearance_points=points)
        ).train()
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
        for _ in range(2):
            network(torch.rand(2, 3, size[1], size[0]))
        for name, bias in network.named_parameters():
            if name.endswith("detection.bias"):
                bias.view(4, 5 + len(classes))[:, 5:] = -0.5
    return network.eval()
