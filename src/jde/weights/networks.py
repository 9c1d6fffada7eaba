"""From a name or a file to a network in PyTorch."""

import logging
from pathlib import Path

from jde.engines.exported_file import recognise_export
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.structures.letterbox import Size
from jde.weights.checkpoint import Checkpoint, make_network
from jde.weights.reading import read_weights
from jde.weights.zoo import fetch, find_entry, locate

logger = logging.getLogger(__name__)


def load_network(weights: str | Path, *, size: Size | None = None) -> JDENet:
    """Return the network of a zoo name or a weight file of any known format, for inference.

    Args:
        weights: A name that `jde zoo` lists, or a file.
        size: Width and height of the input; needed where neither file nor name says it.

    Raises:
        InputError: There is no such name, or the file can't be used; the message says why.
    """
    checkpoint = load_checkpoint(weights, size=size)
    if checkpoint.is_backbone:
        logger.warning("%s holds only a backbone: pyramid and heads are untrained", weights)
    return make_network(checkpoint, str(weights))


def load_checkpoint(weights: str | Path, *, size: Size | None = None) -> Checkpoint:
    """Return the tensors of a zoo name or weight file under our names, as `load_network` does."""
    path = find_weights(weights)
    if kind := recognise_export(path):
        raise InputError(
            f"{path}: an exported {kind} model, which only runs; pass the weights it was made from"
        )
    return read_weights(path, size=size)


def find_weights(weights: str | Path) -> Path:
    """Return the file that a name or path stands for; fetches it where it isn't here yet.

    Raises:
        InputError: There is no such file or name, or it can't be fetched.
    """
    path = Path(weights)
    if path.exists():
        return path
    entry = find_entry(str(weights))
    if entry is None:
        raise InputError(f"{weights}: no such weight file or name; 'jde zoo' lists the names")
    return locate(entry) or fetch(entry)
