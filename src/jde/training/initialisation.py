import logging
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from jde.model.builders import PRIOR
from jde.model.joint_head import ANCHORS_PER_LEVEL, BACKGROUND, numbers_per_anchor
from jde.model.mobilenet import MobileNet
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.training.config import TrainingConfig
from jde.weights.mobilenet import initialise_mobilenet, read_mobilenet
from jde.weights.networks import find_weights, load_checkpoint

DETECTION = ".detection."
"""Part of the names of the convolutions that give boxes and objectness."""

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
    """Copy all tensors that have the name and shape of one of the network's.

    Where the classes differ, the heads take over box, background and the classes of equal name.
    """
    mine = network.state_dict()
    checkpoint = load_checkpoint(weights, size=network.config.input_size)
    theirs = dict(checkpoint.network)
    if checkpoint.config.classes != network.config.classes:
        theirs |= change_classes(theirs, checkpoint.config.classes, network.config.classes)
        logger.info("%s", describe_classes(checkpoint.config.classes, network.config.classes))
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


def change_classes(
    tensors: Mapping[str, Tensor], old: Sequence[str], new: Sequence[str]
) -> dict[str, Tensor]:
    """Return the tensors of heads that found the classes `old` for heads that find `new`.

    A class that wasn't there starts as the background made less likely by the prior of a fresh
    network, so that what was found before is found as before.
    """
    known = {name: BACKGROUND + 1 + number for number, name in enumerate(old)}
    rows = [*range(BACKGROUND + 1), *(known.get(name, BACKGROUND) for name in new)]
    fresh = [BACKGROUND + 1 + number for number, name in enumerate(new) if name not in known]
    changed = {}
    for name, tensor in tensors.items():
        if DETECTION in name:
            numbers = numbers_per_anchor(len(old))
            rowwise = tensor.view(ANCHORS_PER_LEVEL, numbers, *tensor.shape[1:])[:, rows].clone()
            if name.endswith("bias"):
                rowwise[:, fresh] += math.log(PRIOR / (1 - PRIOR))
            changed[name] = rowwise.flatten(0, 1)
    return changed


def describe_classes(old: Sequence[str], new: Sequence[str]) -> str:
    """Return which classes a network knows already and which are new to it."""
    kept = [name for name in new if name in old]
    fresh = [name for name in new if name not in old]
    return f"classes taken over: {', '.join(kept) or 'none'}; new: {', '.join(fresh) or 'none'}"
