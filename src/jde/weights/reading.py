"""Weight files of any format to weights under our own names."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jde.model.config import Anchors
from jde.structures.errors import InputError
from jde.structures.letterbox import Size
from jde.weights import native
from jde.weights.checkpoint import BACKBONE, Checkpoint
from jde.weights.conversion import Program, find_places, to_ours
from jde.weights.darknet import read_darknet
from jde.weights.input_size import backbone_config, make_config
from jde.weights.mindspore import read_mindspore
from jde.weights.paddle import read_paddle
from jde.weights.recognition import recognise
from jde.weights.weight_file import StoredTensor, WeightFile
from jde.weights.zhongdao import read_zhongdao

Reader = Callable[[WeightFile], dict[str, StoredTensor]]

READERS: dict[str, tuple[Reader, Program]] = {
    "zhongdao": (read_zhongdao, "zhongdao"),
    "paddle": (read_paddle, "paddle"),
    "mindspore": (read_mindspore, "mindspore"),
    "darknet": (read_darknet, "zhongdao"),
}
"""How the tensors of each format are found, and whose names they get."""


def read_weights(
    path: Path, *, size: Size | None = None, anchors: Anchors | None = None
) -> Checkpoint:
    """Return the weights of a file whose format is recognised by its content.

    Args:
        path: Native safetensors, or a checkpoint of one of the published programs.
        size: Width and height of the input; needed where neither file nor name says it.
        anchors: Those of the training, where they aren't the published ones.

    Raises:
        InputError: The file is of no known format, damaged, unsafe, or of another network, or
            doesn't say what must be known.
    """
    if path.is_dir():
        raise InputError(f"{path}: a folder; pass the weight file inside it")
    with WeightFile(path) as file:
        kind = recognise(file)
        if kind != "native":
            return read_published(file, kind, size=size, anchors=anchors)
    checkpoint = native.read_checkpoint(path)
    config = replace(
        checkpoint.config,
        input_size=size or checkpoint.config.input_size,
        anchors=anchors or checkpoint.config.anchors,
    )
    return replace(checkpoint, config=config)


def read_published(
    file: WeightFile, kind: str, *, size: Size | None, anchors: Anchors | None
) -> Checkpoint:
    """Return the weights of a published program."""
    read, program = READERS[kind]
    stored = read(file)
    places = find_places(stored, program)
    if places and all(name.startswith(BACKBONE) for name in places):
        source = "darknet" if program == "zhongdao" else program
        config = backbone_config(source, size=size)
    else:
        config = make_config(file.path, program, size=size, anchors=anchors)
    return to_ours(stored, program, config, str(file.path))
