"""From a name or a file to a network."""

from importlib import resources
from pathlib import Path

from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.weights.native import read_network

SHIPPED = ("jde-nano",)
"""Weights inside the package."""


def load_network(weights: str | Path) -> JDENet:
    """Return the network of a zoo name or a weight file, ready for inference."""
    return read_network(find_weights(weights))


def find_weights(weights: str | Path) -> Path:
    """Return the file that a name or path stands for.

    Raises:
        InputError: There is no such file or name.
    """
    path = Path(weights)
    if path.exists():
        return path
    if str(weights) in SHIPPED:
        return shipped_weights(str(weights))
    raise InputError(f"{weights}: no such weight file or name; 'jde zoo' lists the names")


def shipped_weights(name: str) -> Path:
    """Return the file of weights that come with the package."""
    return Path(str(resources.files("jde.weights") / "shipped" / f"{name}.safetensors"))
