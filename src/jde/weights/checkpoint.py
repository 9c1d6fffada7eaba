"""Weights on their way between a file and a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from jde.model.builders import build_network
from jde.model.config import ModelConfig
from jde.model.network import JDENet
from jde.structures.errors import InputError

BACKBONE = "backbone."
"""Start of the names of the backbone's tensors."""

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

    @property
    def is_backbone(self) -> bool:
        """Whether pyramid and heads are missing."""
        return all(name.startswith(BACKBONE) for name in self.network)


def blank_network(config: ModelConfig) -> JDENet:
    """Return a network whose tensors have a shape but no memory yet."""
    with torch.device("meta"):
        return build_network(config)


def make_network(checkpoint: Checkpoint, origin: str) -> JDENet:
    """Return the network that a checkpoint describes, ready for inference; copies no tensor.

    Around a backbone alone, pyramid and heads are untrained.

    Args:
        checkpoint: Weights and configuration.
        origin: Where the weights came from, for messages.

    Raises:
        InputError: Tensors are missing, left over, or of another shape or kind.
    """
    network = blank_network(checkpoint.config)
    expected = network.state_dict()
    tensors = dict(checkpoint.network)
    if checkpoint.is_backbone:
        tensors = {**fresh_weights(checkpoint.config), **tensors}
    for name in expected.keys() - tensors.keys():
        if name.endswith(BATCH_COUNTER):
            tensors[name] = torch.zeros((), dtype=torch.int64)
    check_names(expected, tensors, origin)
    for name, model in expected.items():
        check_tensor(name, model, tuple(tensors[name].shape), tensors[name].dtype, origin)
        if tensors[name].dtype != model.dtype:
            tensors[name] = tensors[name].to(model.dtype)
    network.load_state_dict(tensors, assign=True)
    return network.eval()


def fresh_weights(config: ModelConfig) -> dict[str, Tensor]:
    """Return the weights of an untrained network, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return dict(build_network(config).state_dict())


def check_complete(checkpoint: Checkpoint, origin: str) -> None:
    """Refuse a checkpoint that is neither a whole network nor a whole backbone.

    Raises:
        InputError: The message names the first few tensors.
    """
    expected = {
        name: model
        for name, model in blank_network(checkpoint.config).state_dict().items()
        if name.startswith(BACKBONE) or not checkpoint.is_backbone
    }
    counters = {name: 0 for name in expected if name.endswith(BATCH_COUNTER)}
    check_names(expected, {**counters, **checkpoint.network}, origin)


def check_names(expected: Mapping[str, object], found: Mapping[str, object], origin: str) -> None:
    """Refuse weights that lack tensors or hold more than the network has.

    Raises:
        InputError: The message names the first few tensors.
    """
    if missing := sorted(expected.keys() - found.keys()):
        raise InputError(f"{origin}: weights of another architecture: no {name_few(missing)}")
    if extra := sorted(found.keys() - expected.keys()):
        raise InputError(f"{origin}: weights of another architecture: unknown {name_few(extra)}")


def check_tensor(
    name: str, model: Tensor, shape: tuple[int, ...], dtype: torch.dtype, origin: str
) -> None:
    """Refuse a tensor that doesn't fit into the place of `model`.

    Raises:
        InputError: Shape or kind of number differ.
    """
    if shape != tuple(model.shape):
        raise InputError(
            f"{origin}: weights of another architecture: {name} has shape {shape} where "
            f"{tuple(model.shape)} is needed"
        )
    if dtype.is_floating_point != model.is_floating_point() or dtype.is_complex:
        raise InputError(f"{origin}: {name} holds {dtype} where {model.dtype} is needed")


def name_few(names: list[str]) -> str:
    """Return the first names and how many there are in all."""
    shown = ", ".join(names[:NAMED_AT_MOST])
    return shown if len(names) <= NAMED_AT_MOST else f"{shown} ({len(names)} in all)"
