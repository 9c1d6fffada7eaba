import torch

from jde.model.builders import build_network
from jde.model.config import ModelConfig
from jde.model.network import JDENet

NOISE = (2, 3, 96, 128)
"""Shape of the pictures that the normalisation is fitted to."""


def random_network(config: ModelConfig, *, seed: int = 0) -> JDENet:
    """Return a network with random weights that runs as long as a trained one.

    Its normalisation is fitted to noise: without that the numbers would shrink from layer to layer
    to ones so small that processors compute them slowly.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = build_network(config).train()
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None  # The plain mean over all that was seen.
        network(torch.rand(NOISE))
    return network.eval()
