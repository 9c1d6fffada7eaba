"""Weights on their way between a file and a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from jde.model.builders import build_network
from jde.model.config import ModelConfig
from jde.model.network import JDENet
from jde.structures.errors import InputError

BATCH_COUNTER = "num_batches_tracked"
"""Last part of the names that old files lack: how often PyTorch updated the statistics."""

NAMED_AT_MOST = 3
"""Tensors that an error names before it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights under our own names, and the configuration of the network they belong to.

    Attributes:
        config: Builds the network.
        network: Tensors of the network.
        criterion: Tensors that only training needs: identity classifier and loss weights.
    """

    config: ModelConfig
    network: Mapping[str, Tensor]
    criterion: Mapping[str, Tensor] = field(default_factory=dict)


def blank_network(config: ModelConfig) -> JDENet:
    """Return a network whose tensors have a shape but no memory yet."""
    with torch.device("meta"):
        return build_network(config)


def make_network(checkpoint: Checkpoint, origin: str) -> JDENet:
    """Return the network that a checkpoint describes, ready for inference; copies no tensor.

    Args:
        checkpoint: Weights and configuration.
        origin: Where the weights came from, for messages.

    Raises:
        InputError: Tensors are missing, left over, or of another shape or kind.
    """
    network = blank_network(checkpoint.config)
    expected = network.state_dict()
    tensors = dict(checkpoint.network)
    for name in expected.keys() - tensors.keys():
        if name.endswith(BATCH_COUNTER):
            tensors[name] = torch.zeros((), dtype=torch.int64)
    check_names(expected, tensors, origin)
    for name, model in expected.items():
        check_tensor(name, model, tensors[name], origin)
        if tensors[name].dtype != model.dtype:
            tensors[name] = tensors[name].to(model.dtype)
    network.load_state_dict(tensors, assign=True)
    return network.eval()


def check_names(expected: Mapping[str, object], found: Mapping[str, object], origin: str) -> None:
    """Refuse weights that lack tensors or hold more than the network has.

    Raises:
        InputError: The message names the first few tensors.
    """
    if missing := sorted(expected.keys() - found.keys()):
        raise InputError(f"{origin}: weights of another architecture: no {name_few(missing)}")
    if extra := sorted(found.keys() - expected.keys()):
        raise InputError(f"{origin}: weights of another architecture: unknown {name_few(extra)}")


def check_tensor(name: str, model: Tensor, tensor: Tensor, origin: str) -> None:
    """Refuse a tensor that doesn't fit into the place of `model`.

    Raises:
        InputError: Shape or kind of number differ.
    """
    if tensor.shape != model.shape:
        raise InputError(
            f"{origin}: weights of another architecture: {name} has shape "
            f"{tuple(tensor.shape)} where {tuple(model.shape)} is needed"
        )
    if tensor.is_floating_point() != model.is_floating_point() or tensor.is_complex():
        raise InputError(f"{origin}: {name} holds {tensor.dtype} where {model.dtype} is needed")


def name_few(names: list[str]) -> str:
    """Return the first names and how many there are in all."""
    shown = ", ".join(names[:NAMED_AT_MOST])
    return shown if len(names) <= NAMED_AT_MOST else f"{shown} ({len(names)} in all)"
