import logging

import torch

from jde.model.mobilenet import MobileNet
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.training.config import TrainingConfig
from jde.weights.mobilenet import initialise_mobilenet, read_mobilenet
from jde.weights.networks import find_weights, load_checkpoint

logger = logging.getLogger(__name__)


def starting_weights(config: TrainingConfig) -> tuple[str, ...]:
    """Return the files or names that a recipe starts from, in order."""
    names = config.initialise
    return (names,) * bool(names) if isinstance(names, str) else names


def initialise(network: JDENet, weights: str) -> int:
    """Copy what fits from a weight file or name into `network`; return how many tensors did.

    Takes whole networks, backbones and, for the compact networks, MobileNetV2 classifiers.

    Raises:
        InputError: Nothing fits: a silently random start would cost the run.
    """
    count = copy_mobilenet(network, weights) or copy_fitting(network, weights)
    total = len(network.state_dict())
    logger.info("%s: %d of %d tensors loaded into the network", weights, count, total)
    return count


def copy_mobilenet(network: JDENet, weights: str) -> int:
    """Copy an ImageNet classifier into a compact network's backbone; 0 where it is none."""
    path = find_weights(weights)
    if not isinstance(network.backbone, MobileNet) or not (classifier := read_mobilenet(path)):
        return 0
    return initialise_mobilenet(network.backbone, classifier, str(path))


@torch.no_grad()
def copy_fitting(network: JDENet, weights: str) -> int:
    """Copy all tensors that have the name and shape of one of the network's."""
    mine = network.state_dict()
    theirs = load_checkpoint(weights, size=network.config.input_size).network
    fitting = {
        name: tensor
        for name, tensor in theirs.items()
        if name in mine and mine[name].shape == tensor.shape
    }
    if not fitting:
        raise InputError(f"{weights}: no tensor fits a network of {network.config.architecture}")
    for name, tensor in fitting.items():
        mine[name].copy_(tensor)
    return len(fitting)
