"""Tensors of the published programs to ours and back."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from jde.model.config import PEOPLE, ModelConfig
from jde.structures.errors import InputError
from jde.weights import name_map
from jde.weights.checkpoint import (
    BACKBONE,
    BATCH_COUNTER,
    Checkpoint,
    blank_network,
    check_tensor,
    name_few,
)
from jde.weights.weight_file import StoredTensor

Program = Literal["zhongdao", "paddle", "mindspore"]
"""Whose names and layout a file has."""

STATISTIC = "running_var"
LEVEL_WEIGHTS = tuple(f"{part}_weight" for part in name_map.LOSS_PARTS)


def to_ours(
    stored: Mapping[str, StoredTensor], program: Program, config: ModelConfig, origin: str
) -> Checkpoint:
    """Return the tensors of a published program under our names, in 32 bits.

    A file that holds the whole backbone and nothing behind it gives a backbone alone.

    Args:
        stored: Tensors by the name that the file gives them.
        program: Whose names they are.
        config: Of the network that they belong to.
        origin: Where they came from, for messages.

    Raises:
        InputError: Tensors are missing or of another shape or kind.
    """
    places = find_places(stored, program)
    network_names = [names.ours for names in name_map.network_names()]
    if places and all(name.startswith(BACKBONE) for name in places):
        network_names = [names.ours for names in name_map.backbone_names()]
    if missing := [name for name in network_names if name not in places]:
        theirs = {names.ours: getattr(names, program) for names in name_map.network_names()}
        raise InputError(
            f"{origin}: weights of another network: no {name_few([theirs[n] for n in missing])}"
        )
    model = blank_network(config).state_dict()
    network = {
        name: load_as(model[name], stored[places[name]], places[name], origin)
        for name in network_names
    }
    network |= load_counters(stored, places, network)
    return Checkpoint(config, network, load_criterion(stored, places, program, origin))


def find_places(stored: Mapping[str, object], program: Program) -> dict[str, str]:
    """Return the name that the file has for each of our tensors that it holds.

    Names may have one more start in common (`module.`), or lack the first parts of ours, as files
    of a backbone alone do.
    """
    stem = getattr(name_map.network_names()[0], program)
    longer = [name for name in stored if name.endswith(f".{stem}")]
    shorter = [name for name in stored if stem.endswith(f".{name}")]
    extra = longer[0].removesuffix(stem) if longer and stem not in stored else ""
    lacking = stem.removesuffix(shorter[0]) if shorter and stem not in stored else ""
    places = {
        names.ours: extra + getattr(names, program).removeprefix(lacking)
        for names in name_map.all_names()
    }
    return {ours: theirs for ours, theirs in places.items() if theirs in stored}


def load_as(model: Tensor, stored: StoredTensor, name: str, origin: str) -> Tensor:
    """Read a tensor that has the shape of `model`, in 32 bits.

    Raises:
        InputError: Shape or kind differ; nothing was read then.
    """
    check_tensor(name, model, stored.shape, stored.dtype, origin)
    return stored.load().to(torch.float32)


def load_criterion(
    stored: Mapping[str, StoredTensor], places: Mapping[str, str], program: Program, origin: str
) -> dict[str, Tensor]:
    """Return classifier and loss weights, as far as the file has them.

    Raises:
        InputError: One has another shape or kind.
    """
    criterion: dict[str, Tensor] = {}
    for part in LEVEL_WEIGHTS:
        names = [places.get(f"{part}.{level}") for level in range(name_map.LEVELS)]
        found = [(name, stored[name]) for name in names if name is not None]
        if len(found) == name_map.LEVELS:
            for name, scalar in found:
                check_shape(scalar, name, scalar.shape in {(), (1,)}, origin)
            criterion[part] = torch.cat([load_scalar(scalar) for _, scalar in found])
    for ours in (name_map.CLASSIFIER_WEIGHT, name_map.CLASSIFIER_BIAS):
        if ours in places:
            tensor, axes = stored[places[ours]], 1 + (ours == name_map.CLASSIFIER_WEIGHT)
            check_shape(tensor, ours, len(tensor.shape) == axes, origin)
            criterion[ours] = tensor.load().to(torch.float32)
    if program == "paddle" and name_map.CLASSIFIER_WEIGHT in criterion:
        # Paddle's linear layers multiply from the left.
        weight = criterion[name_map.CLASSIFIER_WEIGHT]
        criterion[name_map.CLASSIFIER_WEIGHT] = weight.T.contiguous()
    return criterion


def load_counters(
    stored: Mapping[str, StoredTensor], places: Mapping[str, str], network: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return how often each normalisation was updated; 0 where the file doesn't say."""
    counters = {}
    for ours in network:
        if ours.endswith(STATISTIC):
            counter = stored.get(places[ours].replace(STATISTIC, BATCH_COUNTER))
            is_number = counter is not None and (counter.shape, counter.dtype) == ((), torch.int64)
            counters[ours.replace(STATISTIC, BATCH_COUNTER)] = (
                counter.load() if counter and is_number else torch.zeros((), dtype=torch.int64)
            )
    return counters


def check_shape(stored: StoredTensor, name: str, is_good: bool, origin: str) -> None:  # noqa: FBT001 (the finding)
    """Refuse a tensor of a shape that the caller found wrong, or of whole numbers.

    Raises:
        InputError: It is refused.
    """
    if not (is_good and stored.dtype.is_floating_point):
        raise InputError(f"{origin}: {name} can't be {stored.dtype} of shape {stored.shape}")


def load_scalar(stored: StoredTensor) -> Tensor:
    """Read a single number as a vector of one."""
    return stored.load().reshape(1).to(torch.float32)


def to_theirs(checkpoint: Checkpoint, program: Program) -> dict[str, Tensor]:
    """Return the tensors of the published network under the names of a program.

    Raises:
        InputError: The network isn't DarkNet-53, or only its backbone is there.
    """
    check_published(checkpoint)
    tensors = dict(checkpoint.network)
    for part in LEVEL_WEIGHTS:
        for level, scalar in enumerate(checkpoint.criterion.get(part, ())):
            tensors[f"{part}.{level}"] = scalar.reshape(1)
    for name in (name_map.CLASSIFIER_WEIGHT, name_map.CLASSIFIER_BIAS):
        if name in checkpoint.criterion:
            tensors[name] = checkpoint.criterion[name]
    if program == "paddle" and name_map.CLASSIFIER_WEIGHT in tensors:
        tensors[name_map.CLASSIFIER_WEIGHT] = tensors[name_map.CLASSIFIER_WEIGHT].T
    return {
        getattr(names, program): tensors[names.ours].detach().to("cpu", torch.float32).contiguous()
        for names in name_map.all_names()
        if names.ours in tensors
    }


def check_published(checkpoint: Checkpoint) -> None:
    """Refuse what the published programs have no network for.

    Raises:
        InputError: The network isn't DarkNet-53, finds more than people, or only its backbone is
            there.
    """
    if checkpoint.config.architecture != "darknet53":
        raise InputError(
            f"a {checkpoint.config.architecture!r} network has no place in the files of other "
            "programs; only 'darknet53' has"
        )
    if checkpoint.config.classes != PEOPLE:
        raise InputError(
            f"the files of other programs hold people alone, this network finds "
            f"{', '.join(checkpoint.config.classes)}: it can be written as .safetensors"
        )
    if checkpoint.is_backbone:
        raise InputError("only a backbone: it can be written as .safetensors or as conv.74")
