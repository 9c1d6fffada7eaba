"""MobileNetV2 (arXiv 1801.04381), cut after the stage that the compact networks need."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from jde.model.darknet import Pyramid
from jde.model.layers import ConvNorm


class Stage(NamedTuple):
    """A run of inverted residuals: the first one changes channels and stride."""

    expansion: int
    channels: int
    blocks: int
    stride: int


NANO_STAGES = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 32, 3, 2),
    Stage(6, 64, 4, 2),
    Stage(6, 96, 3, 1),
    Stage(6, 160, 2, 2),
)
SMALL_STAGES = (*NANO_STAGES[:5], Stage(6, 160, 3, 2), Stage(6, 320, 1, 1))
STEM_CHANNELS = 32


class InvertedResidual(nn.Module):
    """Widen by 1x1, filter each channel by 3x3, narrow by 1x1; added where shapes agree."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        self.is_added = stride == 1 and inputs == outputs
        self.widen = (
            ConvNorm(inputs, width, kernel=1, activation=nn.ReLU6(inplace=True))
            if expansion > 1
            else nn.Identity()
        )
        self.filter = ConvNorm(
            width,
            width,
            kernel=3,
            stride=stride,
            groups=width,
            activation=nn.ReLU6(inplace=True),
        )
        self.narrow = ConvNorm(width, outputs, kernel=1, activation=None)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return the narrowed maps, with the input added where shapes agree."""
        answer = self.narrow(self.filter(self.widen(images)))
        return images + answer if self.is_added else answer


class MobileNet(nn.Module):
    """The compact backbone.

    Args:
        stages: Runs of blocks; those that end a stride of 8, 16 and 32 feed the pyramid.
    """

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        super().__init__()
        self.stem = ConvNorm(
            3, STEM_CHANNELS, kernel=3, stride=2, activation=nn.ReLU6(inplace=True)
        )
        self.stages = nn.ModuleList(
            make_stage(inputs, stage)
            for inputs, stage in zip(
                [STEM_CHANNELS, *(stage.channels for stage in stages)], stages, strict=False
            )
        )
        halvings = [position for position, stage in enumerate(stages) if stage.stride > 1]
        self.taps = (halvings[-2] - 1, halvings[-1] - 1, len(stages) - 1)
        self.channels = tuple(stages[tap].channels for tap in self.taps)

    def forward(self, images: Float[Tensor, "n 3 height width"]) -> Pyramid:
        """Return the maps at strides 8, 16 and 32."""
        current, maps = self.stem(images), []
        for stage in self.stages:
            current = stage(current)
            maps.append(current)
        fine, middle, coarse = self.taps
        return maps[fine], maps[middle], maps[coarse]


def make_stage(inputs: int, stage: Stage) -> nn.Sequential:
    """Return the blocks of one stage."""
    return nn.Sequential(
        *(
            InvertedResidual(
                inputs if block == 0 else stage.channels,
                stage.channels,
                stride=stage.stride if block == 0 else 1,
                expansion=stage.expansion,
            )
            for block in range(stage.blocks)
        )
    )
