"""Our own weight files: safetensors whose metadata hold the model configuration."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from jde.formats.draft import replacing
from jde.model.config import ModelConfig
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.weights.checkpoint import Checkpoint, check_complete, make_network

FORMAT_VERSION = "1"
CONFIG_KEY, VERSION_KEY = "jde.config", "jde.format_version"
CRITERION = "criterion."
"""Start of the names of tensors that only training needs."""


def write_network(
    path: Path,
    network: JDENet,
    *,
    half: bool = False,
    criterion: Mapping[str, Tensor] | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write a network so that a reader sees the whole file or none.

    Args:
        path: File to write; the name usually ends in `.safetensors`.
        network: Network to write; not one with folded normalisation.
        half: Store kernels in 16 bits; vectors, which normalise, keep 32.
        criterion: Tensors that only training needs, kept beside those of the network.
        extra: More metadata, such as how the weights were trained.
    """
    write_checkpoint(
        path,
        Checkpoint(network.config, network.state_dict(), criterion or {}),
        half=half,
        extra=extra,
    )


def write_checkpoint(
    path: Path,
    checkpoint: Checkpoint,
    *,
    half: bool = False,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write weights under our own names; see `write_network`."""
    check_complete(checkpoint, str(path))
    tensors = {
        name: (to_half(tensor) if half else tensor.detach()).cpu().contiguous()
        for name, tensor in checkpoint.network.items()
    }
    for name, tensor in checkpoint.criterion.items():
        tensors[CRITERION + name] = tensor.detach().cpu().contiguous()
    metadata = {
        **(extra or {}),
        CONFIG_KEY: checkpoint.config.to_json(),
        VERSION_KEY: FORMAT_VERSION,
    }
    with replacing(path) as draft:
        save_tensors(draft, tensors, metadata)


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file.

    Raises:
        OSError: The disk is full, say; the library itself raises what looks like a damaged file.
            It doesn't name the file.
    """
    try:
        save_file(tensors, path, metadata)
    except SafetensorError as error:
        raise OSError(str(error)) from error


def read_network(path: Path) -> JDENet:
    """Return the network of a native file, ready for inference.

    Raises:
        InputError: The file is no native weight file, is damaged, or doesn't fit its configuration.
    """
    return make_network(read_checkpoint(path), str(path))


def read_checkpoint(path: Path) -> Checkpoint:
    """Return everything that a native file holds; tensors stay on disk until they are used."""
    with opened(path) as file:
        metadata = file.metadata() or {}
        config = parse_config(metadata, path)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    is_criterion = {name: name.startswith(CRITERION) for name in tensors}
    return Checkpoint(
        config,
        {name: tensor for name, tensor in tensors.items() if not is_criterion[name]},
        {
            name.removeprefix(CRITERION): tensor
            for name, tensor in tensors.items()
            if is_criterion[name]
        },
    )


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a native file, with whatever its writer added."""
    with opened(path) as file:
        return dict(file.metadata() or {})


def parse_config(metadata: Mapping[str, str], path: Path) -> ModelConfig:
    """Return the configuration that the metadata of a native file hold.

    Raises:
        InputError: There is none, or a later version of jde wrote it.
    """
    if CONFIG_KEY not in metadata:
        raise InputError(
            f"{path}: safetensors without a jde model configuration; convert the original "
            "checkpoint with 'jde convert'"
        )
    if metadata.get(VERSION_KEY) != FORMAT_VERSION:
        raise InputError(
            f"{path}: weight format {metadata.get(VERSION_KEY)} is newer than this jde knows "
            f"({FORMAT_VERSION}): upgrade jde"
        )
    try:
        return ModelConfig.from_json(metadata[CONFIG_KEY])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a safetensors file; damage becomes an `InputError` that names the file."""
    path.open("rb").close()
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, RuntimeError) as error:
        raise InputError(f"{path}: damaged safetensors file ({error}); fetch it again") from error


def to_half(tensor: Tensor) -> Tensor:
    """Return a kernel in 16 bits where they can hold it, anything else unchanged."""
    if not tensor.is_floating_point() or tensor.ndim < 2:  # noqa: PLR2004 (kernels have axes)
        return tensor.detach()
    short = tensor.detach().to(torch.float16)
    return short if bool(torch.isfinite(short).all()) else tensor.detach()
