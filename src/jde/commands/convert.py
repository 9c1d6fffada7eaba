from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from jde.structures.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvertOptions:
    """Read a checkpoint of any known format and write it in another.

    The format of the input is recognised by its content: our safetensors, the authors' .pt,
    PaddleDetection's .pdparams, MindSpore's .ckpt, Darknet's darknet53.conv.74 or .weights. The
    format of the output is the end of its name: .safetensors, .pt, .pdparams, .ckpt or .conv.74.

        jde convert jde.1088x608.uncertainty.pt jde-1088x608.safetensors

        jde convert latest.pt mine.safetensors --size 864x480
    """

    source: Annotated[str, tyro.conf.Positional]
    """File to read, or a name that 'jde zoo' lists."""

    output: Annotated[Path, tyro.conf.Positional]
    """File to write."""

    size: str | None = None
    """Width and height of the network's input, such as 1088x608, where the input file and its name
    don't say it."""

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
    from jde.weights.input_size import parse_anchors, parse_size  # noqa: PLC0415 (keeps help quick)
    from jde.weights.networks import find_weights  # noqa: PLC0415
    from jde.weights.reading import read_weights  # noqa: PLC0415
    from jde.weights.writing import NATIVE, write_weights  # noqa: PLC0415

    checkpoint = read_weights(
        find_weights(options.source),
        size=None if options.size is None else parse_size(options.size),
        anchors=None if options.anchors is None else parse_anchors(options.anchors),
    )
    if options.network_only:
        checkpoint = replace(checkpoint, criterion={})
    if options.start_score is not None:
        if options.output.suffix != NATIVE:
            raise InputError(f"{options.output}: only {NATIVE} files can hold a start score")
        config = replace(checkpoint.config, start_score=options.start_score)
        checkpoint = replace(checkpoint, config=config)
    write_weights(options.output, checkpoint, half=options.half)
    config = checkpoint.config
    width, height = config.input_size
    identities = checkpoint.criterion.get("classifier.bias")
    part = "backbone of " if checkpoint.is_backbone else ""
    kept = "" if identities is None else f", classifier of {len(identities)} identities"
    megabytes = options.output.stat().st_size / 1e6
    return (
        f"{options.source}: {part}{config.architecture} at {width}x{height}, "
        f"trained by {config.source}{kept}\n{options.output}: {megabytes:.1f} MB"
    )
