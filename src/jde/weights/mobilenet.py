"""MobileNetV2 classifiers trained on ImageNet, as a start for the compact networks' backbone."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from jde.model.layers import ConvNorm
from jde.model.mobilenet import MobileNet
from jde.structures.errors import InputError
from jde.weights.checkpoint import BATCH_COUNTER
from jde.weights.recognition import recognise
from jde.weights.weight_file import WeightFile
from jde.weights.zhongdao import read_zhongdao

logger = logging.getLogger(__name__)

FEATURES = "features."
"""How the names of a MobileNetV2's convolutions begin, in torchvision and its kin."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
"""Colour statistics by which ImageNet classifiers normalise; ours take RGB in [0, 1] as it is."""

CONV_TENSORS = ("weight", "gamma", "beta", "mean", "variance")


def read_mobilenet(path: Path) -> dict[str, Tensor]:
    """Return the convolutions of a MobileNetV2 checkpoint (.pt); nothing where it is another file.

    Raises:
        InputError: The file is damaged or unsafe.
    """
    with WeightFile(path) as file:
        if recognise(file) != "zhongdao":
            return {}
        stored = read_zhongdao(file)
        return {name: tensor.load() for name, tensor in stored.items() if name.startswith(FEATURES)}


def initialise_mobilenet(backbone: MobileNet, classifier: Mapping[str, Tensor], origin: str) -> int:
    """Copy a classifier's convolutions into the backbone, in order, up to where the backbone ends.

    The classifier's colour normalisation is folded into the first convolution.

    Args:
        backbone: Changed in place.
        classifier: State of a MobileNetV2 with names like `features.0.0.weight`.
        origin: File name for messages.

    Returns:
        How many tensors were set: all of the backbone's.

    Raises:
        InputError: The state is no MobileNetV2, or of another width.
    """
    layers = [module for module in backbone.modules() if isinstance(module, ConvNorm)]
    groups = list(conv_groups(classifier))
    if len(groups) < len(layers):
        raise InputError(
            f"{origin}: holds {len(groups)} convolutions, a MobileNetV2 has {len(layers)} or more"
        )
    for position, (layer, group) in enumerate(zip(layers, groups, strict=False)):
        if layer.conv.weight.shape != group["weight"].shape:
            raise InputError(
                f"{origin}: convolution {position} has shape {tuple(group['weight'].shape)}, "
                f"this backbone needs {tuple(layer.conv.weight.shape)}"
            )
        copy_group(layer, fold_normalisation(group) if position == 0 else group)
    count = len(CONV_TENSORS) * len(layers)
    logger.info("%s: %d of %d tensors loaded into the backbone", origin, count, count)
    return count


def conv_groups(state: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """Yield the five tensors of each normalised convolution in the order of the file."""
    pending: list[Tensor] = []
    for name, tensor in state.items():
        if name.endswith(BATCH_COUNTER) or not name.startswith(FEATURES):
            continue
        pending.append(tensor.float())
        if len(pending) == len(CONV_TENSORS):
            yield dict(zip(CONV_TENSORS, pending, strict=True))
            pending = []


def fold_normalisation(group: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the first convolution for pictures in [0, 1] instead of normalised ones."""
    mean, deviation = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_DEVIATION)
    weight = group["weight"] / deviation[:, None, None]
    # Subtracting the mean colour lowers every sum by a constant, which the running mean can hold.
    shift = (weight * mean[:, None, None]).sum(dim=(1, 2, 3))
    return {**group, "weight": weight, "mean": group["mean"] + shift}


def copy_group(layer: ConvNorm, group: Mapping[str, Tensor]) -> None:
    """Set the tensors of one normalised convolution."""
    assert isinstance(layer.norm, torch.nn.BatchNorm2d)
    assert layer.norm.running_mean is not None
    assert layer.norm.running_var is not None
    with torch.no_grad():
        layer.conv.weight.copy_(group["weight"])
        layer.norm.weight.copy_(group["gamma"])
        layer.norm.bias.copy_(group["beta"])
        layer.norm.running_mean.copy_(group["mean"])
        layer.norm.running_var.copy_(group["variance"])
