from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from jde.model.config import InputShape, ModelConfig
from jde.structures.errors import InputError
from jde.structures.letterbox import Size


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvertOptions:
    """Read a checkpoint of any known format and write it in another.

    The format of the input is recognised by its content: our safetensors, the authors' .pt,
    PaddleDetection's .pdparams, MindSpore's .ckpt, Darknet's darknet53.conv.74 or .weights. The
    format of the output is the end of its name: .safetensors, .pt, .pdparams, .ckpt or .conv.74.

        jde convert jde.1088x608.uncertainty.pt jde-1088x608.safetensors

        jde convert latest.pt mine.safetensors --size 864x480

        jde convert mine.safetensors larger.safetensors --size 704 384 --shape fitted
    """

    source: Annotated[str, tyro.conf.Positional]
    """File to read, or a name that 'jde zoo' lists."""

    output: Annotated[Path, tyro.conf.Positional]
    """File to write."""

    size: tuple[int, int] | str | None = None
    """Width and height of the network's input, such as 1088x608 or 1088 608, where the input file
    and its name don't say it. A .safetensors file keeps the anchors of its training and is run at
    this size from then on."""

    shape: InputShape | None = None
    """How the weights are run where nobody asks for a size (.safetensors only). fixed: pictures
    are brought to exactly the size. fitted: the input gets the shape of the video and about as many
    pixels as the size has [default: what the input file says; files of others are fixed]."""

    anchors: str | None = None
    """Twelve widths and heights, fine to coarse, as the authors' .cfg files hold them, where they
    aren't the published ones: '8,24, 11,34, ...'."""

    half: bool = False
    """Store kernels in 16 bits (.safetensors only)."""

    network_only: bool = False
    """Leave out the identity classifier and the loss weights, which only training needs."""

    start_score: float | None = None
    """Score with which a detection of these weights starts a track in 'jde track', where another
    than the published 0.5 does better (.safetensors only)."""


def run(options: ConvertOptions) -> str:
    """Convert a checkpoint and say what it was."""
    from jde.weights.input_size import parse_anchors  # noqa: PLC0415 (keeps help quick)
    from jde.weights.networks import find_weights  # noqa: PLC0415
    from jde.weights.reading import read_weights  # noqa: PLC0415
    from jde.weights.writing import write_weights  # noqa: PLC0415

    checkpoint = read_weights(
        find_weights(options.source),
        size=_size(options),
        anchors=None if options.anchors is None else parse_anchors(options.anchors),
    )
    if options.network_only:
        checkpoint = replace(checkpoint, criterion={})
    checkpoint = replace(checkpoint, config=_config(options, checkpoint.config))
    write_weights(options.output, checkpoint, half=options.half)
    config = checkpoint.config
    width, height = config.input_size
    fitted = " in the shape of the video" if config.input_shape == "fitted" else ""
    identities = checkpoint.criterion.get("classifier.bias")
    part = "backbone of " if checkpoint.is_backbone else ""
    kept = "" if identities is None else f", classifier of {len(identities)} identities"
    megabytes = options.output.stat().st_size / 1e6
    return (
        f"{options.source}: {part}{config.architecture} at {width}x{height}{fitted}, "
        f"trained by {config.source}{kept}\n{options.output}: {megabytes:.1f} MB"
    )


def _size(options: ConvertOptions) -> Size | None:
    from jde.weights.input_size import parse_size  # noqa: PLC0415 (keeps help quick)

    return parse_size(options.size) if isinstance(options.size, str) else options.size


def _config(options: ConvertOptions, config: ModelConfig) -> ModelConfig:
    """Return the configuration with what was said of it."""
    from jde.weights.writing import NATIVE  # noqa: PLC0415 (keeps help quick)

    wishes: dict[str, Any] = {
        "start_score": options.start_score,
        "input_shape": options.shape,
    }
    changes = {name: value for name, value in wishes.items() if value is not None}
    if changes and options.output.suffix != NATIVE:
        name = next(iter(changes)).replace("input_shape", "shape of the input").replace("_", " ")
        raise InputError(f"{options.output}: only {NATIVE} files can hold a {name}")
    return replace(config, **changes)
