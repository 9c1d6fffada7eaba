import logging

import torch

from jde.model.mobilenet import MobileNet
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.weights.loading import find_weights, load_network
from jde.weights.mobilenet import initialise_mobilenet, read_mobilenet

logger = logging.getLogger(__name__)


@torch.no_grad()
def initialise(network: JDENet, weights: str) -> int:
    """Copy what fits from a weight file or name into `network`; return how many tensors did.

    A compact network also starts from a MobileNetV2 that was trained to classify ImageNet.

    Raises:
        InputError: Nothing fits: a silently random start would cost the run.
    """
    if isinstance(network.backbone, MobileNet):
        classifier = read_mobilenet(find_weights(weights))
        if classifier:
            return initialise_mobilenet(network.backbone, classifier, weights)
    mine, theirs = network.state_dict(), load_network(weights).state_dict()
    fitting = {
        name: tensor
        for name, tensor in theirs.items()
        if name in mine and mine[name].shape == tensor.shape
    }
    if not fitting:
        raise InputError(f"{weights}: no tensor fits a network of {network.config.architecture}")
    for name, tensor in fitting.items():
        mine[name].copy_(tensor)
    logger.info("%s: %d of %d tensors loaded into the network", weights, len(fitting), len(mine))
    return len(fitting)
