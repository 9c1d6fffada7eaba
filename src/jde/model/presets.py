"""The published configurations and our own compact ones, by name."""

from dataclasses import replace
from difflib import get_close_matches

from jde.model.config import Anchors, LevelAnchors, ModelConfig
from jde.structures.errors import InputError
from jde.structures.letterbox import Size


def level(*anchors: tuple[int, int]) -> LevelAnchors:
    """Return the anchors of one level."""
    return tuple((float(width), float(height)) for width, height in anchors)


ANCHORS_1088X608: Anchors = (
    level((128, 384), (180, 540), (256, 640), (512, 640)),
    level((32, 96), (45, 135), (64, 192), (90, 271)),
    level((8, 24), (11, 34), (16, 48), (23, 68)),
)
"""Specification, section 4.2; the same in all three published programs."""

ANCHORS_864X480: Anchors = (
    level((102, 305), (143, 429), (203, 508), (407, 508)),
    level((25, 76), (36, 107), (51, 152), (71, 215)),
    level((6, 19), (9, 27), (13, 38), (18, 54)),
)

ANCHORS_576X320: Anchors = (
    level((85, 255), (120, 360), (170, 420), (340, 320)),
    level((21, 64), (30, 90), (43, 128), (60, 180)),
    level((6, 16), (8, 23), (11, 32), (16, 45)),
)
"""As the authors' program has them; PaddleDetection's last coarse anchor is 340x420."""

ANCHORS_576X320_PADDLE: Anchors = (
    level((85, 255), (120, 360), (170, 420), (340, 420)),
    *ANCHORS_576X320[1:],
)

PUBLISHED_ANCHORS: dict[Size, Anchors] = {
    (1088, 608): ANCHORS_1088X608,
    (864, 480): ANCHORS_864X480,
    (576, 320): ANCHORS_576X320,
}

PUBLISHED_EMBEDDING_DIM = 512
COMPACT_EMBEDDING_DIM = 128


def anchors_for(size: Size, *, source: str = "zhongdao") -> Anchors:
    """Return the anchors published for an input size, or the nearest ones scaled to its height.

    Args:
        size: Width and height of the network's input.
        source: Program that trained the weights; `paddle` has its own anchors at 576x320.
    """
    if size == (576, 320) and source == "paddle":
        return ANCHORS_576X320_PADDLE
    if size in PUBLISHED_ANCHORS:
        return PUBLISHED_ANCHORS[size]
    nearest = min(PUBLISHED_ANCHORS, key=lambda known: abs(known[1] - size[1]))
    factor = size[1] / nearest[1]
    coarse, middle, fine = (
        tuple((width * factor, height * factor) for width, height in level)
        for level in PUBLISHED_ANCHORS[nearest]
    )
    return coarse, middle, fine


def darknet53(size: Size = (1088, 608), *, source: str = "zhongdao") -> ModelConfig:
    """Return the published network for an input size and the program whose weights it takes."""
    is_mindspore = source == "mindspore"
    return ModelConfig(
        architecture="darknet53",
        input_size=size,
        anchors=anchors_for(size, source=source),
        embedding_dim=PUBLISHED_EMBEDDING_DIM,
        activation="relu" if is_mindspore else "leaky",
        stride2_padding="bottom-right" if is_mindspore else "symmetric",
        source=source,
    )


def compact(architecture: str, size: Size = (576, 320)) -> ModelConfig:
    """Return `nano` or `small`, our networks for CPUs, for an input size."""
    return ModelConfig(
        architecture="small" if architecture == "small" else "nano",
        input_size=size,
        anchors=anchors_for(size),
        embedding_dim=COMPACT_EMBEDDING_DIM,
    )


PRESETS: dict[str, ModelConfig] = {
    "jde-nano": compact("nano"),
    "jde-small": compact("small"),
    **{
        f"jde-darknet53-{width}x{height}": darknet53((width, height))
        for width, height in PUBLISHED_ANCHORS
    },
}
"""Configurations by the name that the command line and the configuration files use."""


def find_preset(name: str, *, size: Size | None = None) -> ModelConfig:
    """Return the configuration called `name`, at another input size where one is given.

    Raises:
        InputError: There is no such name; the message says the nearest.
    """
    if name not in PRESETS:
        close = get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(PRESETS)}"
        raise InputError(f"there is no model called {name!r}; {hint}")
    config = PRESETS[name]
    if size is None or size == config.input_size:
        return config
    return replace(config, input_size=size, anchors=anchors_for(size, source=config.source))
