"""The input size and anchors of weights whose file doesn't hold them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from jde.model.config import Anchors, ModelConfig
from jde.model.presets import PUBLISHED_ANCHORS, anchors_for, darknet53
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

SIZE_IN_NAME = re.compile(r"(?<!\d)(\d{3,4})x(\d{3,4})(?!\d)")
MINDSPORE_SIZE = (1088, 608)
"""The only one that MindSpore's program knows."""

ANCHOR_COUNT = 12
LEVEL_ANCHORS = 4


def make_config(
    path: Path, source: str, *, size: Size | None = None, anchors: Anchors | None = None
) -> ModelConfig:
    """Return the configuration of published weights of a whole network.

    Args:
        path: The file; its name may say for which size the weights were trained.
        source: Program that trained the weights.
        size: Width and height of the input; where the name says none, also that of the training.
        anchors: Those of the training; the published ones of its size where not given.

    Raises:
        InputError: The size of the training is unknown, or has no published anchors.
    """
    config = darknet53(source=source)
    named = size_in_name(path)
    if named is None and size is None and source == "mindspore":
        named = MINDSPORE_SIZE
    if anchors is not None:
        chosen = size or named or ask_for_size(path)
        return replace(config, input_size=chosen, anchors=anchors)
    trained = named if named in PUBLISHED_ANCHORS else size or named or ask_for_size(path)
    if trained not in PUBLISHED_ANCHORS:
        raise InputError(
            f"{path}: no anchors are published for {trained[0]}x{trained[1]}: pass the anchors of "
            f"the training, or for published weights their size, one of {published()}"
        )
    return replace(config, input_size=size or trained, anchors=anchors_for(trained, source=source))


def backbone_config(source: str, *, size: Size | None = None) -> ModelConfig:
    """Return the configuration for a backbone alone, which fits any size."""
    config = darknet53(source=source)
    return config if size is None else darknet53_at(config, size)


def darknet53_at(config: ModelConfig, size: Size) -> ModelConfig:
    """Return a configuration at another input size, with the anchors for it."""
    return replace(config, input_size=size, anchors=anchors_for(size, source=config.source))


def size_in_name(path: Path) -> Size | None:
    """Return the only size that a file's name holds, or None."""
    found = {(int(width), int(height)) for width, height in SIZE_IN_NAME.findall(path.name)}
    return found.pop() if len(found) == 1 else None


def ask_for_size(path: Path) -> NoReturn:
    """Say that the size must be passed.

    Raises:
        InputError: Always.
    """
    raise InputError(
        f"{path}: neither the file nor its name says the input size that the weights were trained "
        f"for: pass the size, one of {published()}"
    )


def published() -> str:
    """Return the published sizes as text."""
    return ", ".join(f"{width}x{height}" for width, height in PUBLISHED_ANCHORS)


def parse_size(text: str) -> Size:
    """Return width and height of a text such as 1088x608.

    Raises:
        InputError: It is none.
    """
    match = re.fullmatch(r"(\d+)x(\d+)", text.strip())
    if not match:
        raise InputError(f"a size is written WIDTHxHEIGHT, such as 1088x608, not {text!r}")
    return int(match[1]), int(match[2])


def parse_anchors(text: str) -> Anchors:
    """Return the anchors of a text such as the authors' configuration files hold.

    Args:
        text: Twelve widths and heights, fine to coarse: `8,24, 11,34, ...`.

    Raises:
        InputError: There aren't twelve pairs of numbers.
    """
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        numbers = []
    if len(numbers) != 2 * ANCHOR_COUNT:
        raise InputError(
            f"anchors are {ANCHOR_COUNT} pairs of width and height, fine to coarse, not {text!r}"
        )
    pairs: list[Any] = list(zip(numbers[::2], numbers[1::2], strict=True))
    fine, middle, coarse = (
        tuple(pairs[start : start + LEVEL_ANCHORS])
        for start in range(0, ANCHOR_COUNT, LEVEL_ANCHORS)
    )
    return coarse, middle, fine
