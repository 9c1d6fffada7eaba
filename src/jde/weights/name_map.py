"""Where each convolution of the published network lies in the files of each program.

Generated from the structure of the network (specification, section 14.5).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jde.model.darknet import STAGE_BLOCKS

STEM = "backbone.stem"
LEVELS = 3
LEVEL_CONVOLUTIONS = 6
LEVEL_STEP = 15
"""Modules of one neck level in the authors' program."""

NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
PADDLE_PARTS = dict(zip(NORM_PARTS, ("weight", "bias", "_mean", "_variance"), strict=True))
MINDSPORE_PARTS = dict(
    zip(NORM_PARTS, ("gamma", "beta", "moving_mean", "moving_variance"), strict=True)
)
LOSS_PARTS = ("box", "objectness", "identity")
ZHONGDAO_LOSSES = dict(zip(LOSS_PARTS, ("s_r", "s_c", "s_id"), strict=True))
PADDLE_LOSSES = dict(zip(LOSS_PARTS, ("reg", "cls", "ide"), strict=True))
CLASSIFIER_WEIGHT, CLASSIFIER_BIAS = "classifier.weight", "classifier.bias"


class Convolution(NamedTuple):
    """The names of one convolution, without those of its tensors."""

    ours: str
    position: int
    """Position among the modules of the authors' program, and of Darknet's configuration."""
    paddle: str
    mindspore: str
    is_normalised: bool = True


class Names(NamedTuple):
    """The names of one tensor: in our files, the authors', Paddle's and MindSpore's."""

    ours: str
    zhongdao: str
    paddle: str
    mindspore: str


def all_names() -> list[Names]:
    """Return every tensor of the published network and of its losses."""
    return [*network_names(), *criterion_names()]


def network_names() -> list[Names]:
    """Return every tensor of the published network, in the order of the authors' program."""
    convolutions = [*backbone_convolutions(), *neck_convolutions()]
    ordered = sorted(convolutions, key=lambda convolution: convolution.position)
    return [names for convolution in ordered for names in tensor_names(convolution)]


def backbone_names() -> list[Names]:
    """Return the tensors of the backbone, in order: kernel, then the four of normalisation."""
    return [names for convolution in backbone_convolutions() for names in tensor_names(convolution)]


def tensor_names(convolution: Convolution) -> Iterator[Names]:
    """Return the tensors of one convolution: kernel first."""
    ours, index, paddle, mindspore, is_normalised = convolution
    start = f"module_list.{index}"
    if not is_normalised:
        for part in ("weight", "bias"):
            yield Names(
                f"{ours}.{part}",
                f"{start}.conv_{index}.{part}",
                f"{paddle}.{part}",
                f"{mindspore}.{part}",
            )
        return
    yield Names(
        f"{ours}.conv.weight",
        f"{start}.conv_{index}.weight",
        f"{paddle}.conv.weight",
        f"{mindspore}.0.weight",
    )
    for part in NORM_PARTS:
        yield Names(
            f"{ours}.norm.{part}",
            f"{start}.batch_norm_{index}.{part}",
            f"{paddle}.batch_norm.{PADDLE_PARTS[part]}",
            f"{mindspore}.1.{MINDSPORE_PARTS[part]}",
        )


def backbone_convolutions(blocks: Sequence[int] = STAGE_BLOCKS) -> Iterator[Convolution]:
    """Return the convolutions of DarkNet-53 in order.

    Args:
        blocks: Residual blocks of each stage.
    """
    paddle, mindspore = "detector.backbone", "backbone.backbone"
    yield Convolution(STEM, 0, f"{paddle}.conv0", f"{mindspore}.conv0")
    index = 1
    for stage, count in enumerate(blocks):
        ours = f"backbone.stages.{stage}"
        halving = "downsample0" if stage == 0 else f"stage.{stage - 1}.downsample"
        yield Convolution(
            f"{ours}.0", index, f"{paddle}.{halving}.conv_bn_layer", f"{mindspore}.conv{stage + 1}"
        )
        for block in range(count):
            place = "basicblock0" if block == 0 else f"stage.{stage}.{block}"
            for half, part in enumerate(("reduce", "expand")):
                yield Convolution(
                    f"{ours}.{block + 1}.{part}",
                    index + 1 + half,
                    f"{paddle}.stage.{stage}.{place}.conv{half + 1}",
                    f"{mindspore}.layer{stage + 1}.{block}.conv{half + 1}",
                )
            # The addition counts as a module.
            index += 3
        index += 1


def neck_convolutions() -> Iterator[Convolution]:
    """Return the convolutions of pyramid and heads."""
    parts = [f"to_route.{position}" for position in range(LEVEL_CONVOLUTIONS - 1)] + ["to_tip"]
    paddle_parts = [*(f"conv_module.conv{position}" for position in range(4)), "conv_module.route"]
    for level in range(LEVELS):
        first = yolo_index(level) - 10
        block, paddle = f"backbone.backblock{level}", f"detector.neck.yolo_block.{level}"
        for position, (part, paddle_part) in enumerate(
            zip(parts, [*paddle_parts, "tip"], strict=True)
        ):
            yield Convolution(
                f"pyramid.levels.{level}.{part}",
                first + position,
                f"{paddle}.{paddle_part}",
                f"{block}.conv{position}",
            )
        yield Convolution(
            f"heads.{level}.detection",
            first + 6,
            f"detector.yolo_head.yolo_output.{level}",
            f"{block}.conv6",
            is_normalised=False,
        )
        yield Convolution(
            f"heads.{level}.embedding",
            first + 8,
            f"reid.identify_output.{level}",
            f"{block}.emb_conv",
            is_normalised=False,
        )
        if level < LEVELS - 1:
            yield Convolution(
                f"pyramid.transitions.{level}",
                first + 12,
                f"detector.neck.yolo_transition.{level}",
                f"backbone.conv{level + 1}",
            )


def yolo_index(level: int) -> int:
    """Return the position of a level's last module in the authors' program."""
    return 85 + LEVEL_STEP * level


def criterion_names() -> list[Names]:
    """Return what only training needs: the loss weights of each level and the classifier.

    Ours are vectors with one entry per level; `box_weight.0` is the first of `box_weight`.
    """
    names = [
        Names(
            f"{part}_weight.{level}",
            f"module_list.{yolo_index(level)}.yolo_{yolo_index(level)}.{ZHONGDAO_LOSSES[part]}",
            f"reid.{PADDLE_LOSSES[part]}.{level}.loss_param",
            f"head_{'smb'[level]}.{ZHONGDAO_LOSSES[part]}",
        )
        for level in range(LEVELS)
        for part in LOSS_PARTS
    ]
    classifier = (CLASSIFIER_WEIGHT, CLASSIFIER_BIAS)
    return [*names, *(Names(name, name, f"reid.{name}", name) for name in classifier)]
