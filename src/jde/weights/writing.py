"""Weights to a file of the format that its name asks for."""

import logging
from collections.abc import Callable
from pathlib import Path

from jde.structures.errors import InputError
from jde.weights.checkpoint import Checkpoint
from jde.weights.darknet import write_darknet
from jde.weights.input_size import size_in_name
from jde.weights.mindspore import write_mindspore
from jde.weights.native import write_checkpoint
from jde.weights.paddle import write_paddle
from jde.weights.zhongdao import write_zhongdao

NATIVE = ".safetensors"

WRITERS: dict[str, Callable[[Path, Checkpoint], None]] = {
    ".pt": write_zhongdao,
    ".pdparams": write_paddle,
    ".ckpt": write_mindspore,
    ".conv.74": write_darknet,
}
"""Layouts of other programs by the end of the file's name."""

logger = logging.getLogger(__name__)


def write_weights(path: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write weights in the format that the end of the name says.

    Args:
        path: `.safetensors`, `.pt`, `.pdparams`, `.ckpt` or `.conv.74`.
        checkpoint: What to write.
        half: Store kernels in 16 bits; native files only.

    Raises:
        InputError: The name ends otherwise, or the format has no place for this network.
    """
    if path.name.endswith(NATIVE):
        write_checkpoint(path, checkpoint, half=half)
        return
    ends = [end for end in WRITERS if path.name.endswith(end)]
    if not ends:
        raise InputError(f"{path}: the name must end in {', '.join((NATIVE, *WRITERS))}")
    if half:
        raise InputError(f"{path}: only {NATIVE} files can be written in half precision")
    if checkpoint.config.appearance_points and ends[0] != ".conv.74":
        raise InputError(
            f"{path}: only {NATIVE} files can hold an embedding that is read at points of a box"
        )
    warn_of_losses(path, checkpoint, ends[0])
    WRITERS[ends[0]](path, checkpoint)


def warn_of_losses(path: Path, checkpoint: Checkpoint, end: str) -> None:
    """Log what the other program won't know or will do differently."""
    config = checkpoint.config
    if end == ".conv.74":
        return
    if end != ".ckpt" and size_in_name(path) != config.input_size:
        width, height = config.input_size
        logger.warning(
            "%s can't hold the input size: put %dx%d into its name or pass it when it is read",
            path,
            width,
            height,
        )
    if (end == ".ckpt") != (config.activation == "relu"):
        logger.warning(
            "%s: the program of this format runs the backbone with another activation and padding "
            "than the weights were trained with: it will load them, but not detect well",
            path,
        )
