"""From a name or a file to a network or a detector."""

import logging
from dataclasses import replace
from pathlib import Path

from jde.engines.torch_engine import TorchEngine
from jde.model.detector import Detector
from jde.model.network import JDENet
from jde.model.post_processing import PostProcessing
from jde.structures.errors import InputError
from jde.structures.letterbox import Size
from jde.weights.checkpoint import Checkpoint, make_network
from jde.weights.reading import read_weights
from jde.weights.zoo import fetch, find_entry, locate

ENGINES = ("auto", "torch")
PROFILES = ("jde", "zhongdao", "paddle", "mindspore")

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
    return read_weights(find_weights(weights), size=size)


def load_detector(  # noqa: PLR0913 (the public call: what runs, where, and from which score on)
    weights: str | Path,
    *,
    device: str = "auto",
    engine: str = "auto",
    size: Size | None = None,
    min_score: float = 0.5,
    max_overlap: float = 0.4,
    profile: str | None = None,
) -> Detector:
    """Return a detector with the weights of a zoo name or a weight file of any known format.

    Args:
        weights: A name that `jde zoo` lists, or a file.
        device: Where to run, such as `cpu` or `cuda:0`; `auto` takes a GPU where there is one.
        engine: What runs the network: `torch`, or `auto` for the fastest that is installed.
        size: Width and height of the input; needed where neither file nor name says it.
        min_score: Score that detections must exceed.
        max_overlap: Overlap beyond which the lower of two boxes goes.
        profile: Program whose post-processing to follow: `jde`, `zhongdao`, `paddle` or
            `mindspore`; the one that trained the weights where not given.

    Raises:
        InputError: There is no such name, or the file can't be used; the message says why.
    """
    if engine not in ENGINES:
        raise InputError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}")
    if profile is not None and profile not in PROFILES:
        raise InputError(f"profile must be one of {', '.join(PROFILES)}, got {profile!r}")
    checkpoint = load_checkpoint(weights, size=size)
    if checkpoint.is_backbone:
        raise InputError(f"{weights}: only a backbone, which detects nothing: train it first")
    network = make_network(checkpoint, str(weights))
    settings = replace(
        PostProcessing.for_source(profile or network.config.source),
        min_score=min_score,
        max_overlap=max_overlap,
    )
    return Detector(TorchEngine(network, device=device), network.config, settings)


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
