from jaxtyping import Float
from torch import Tensor, nn

from jde.model.config import Activation, StridePadding
from jde.model.layers import ConvNorm, leaky

STAGE_BLOCKS = (1, 2, 8, 8, 4)
"""Residual blocks of the five stages; each starts by halving the picture."""

DARKNET_CHANNELS = (256, 512, 1024)
"""Channels of the maps at strides 8, 16 and 32."""

Pyramid = tuple[Float[Tensor, "n a h w"], Float[Tensor, "n b i j"], Float[Tensor, "n c k l"]]
"""Maps of a backbone at strides 8, 16 and 32."""


class Residual(nn.Module):
    """A 1x1 convolution to half the channels and a 3x3 back, added to the input."""

    def __init__(self, channels: int, activation: Activation) -> None:
        super().__init__()
        self.reduce = ConvNorm(
            channels, channels // 2, kernel=1, activation=make_activation(activation)
        )
        self.expand = ConvNorm(
            channels // 2, channels, kernel=3, activation=make_activation(activation)
        )

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Return the input with the block's answer added."""
        return images + self.expand(self.reduce(images))


class Darknet53(nn.Module):
    """The backbone of YOLOv3 and JDE (specification, section 3.1)."""

    channels = DARKNET_CHANNELS

    def __init__(
        self, activation: Activation = "leaky", stride2_padding: StridePadding = "symmetric"
    ) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, kernel=3, activation=make_activation(activation))
        self.stages = nn.ModuleList(
            nn.Sequential(
                ConvNorm(
                    32 << level,
                    64 << level,
                    kernel=3,
                    stride=2,
                    activation=make_activation(activation),
                    one_sided=stride2_padding == "bottom-right",
                ),
                *(Residual(64 << level, activation) for _ in range(blocks)),
            )
            for level, blocks in enumerate(STAGE_BLOCKS)
        )

    def forward(self, images: Float[Tensor, "n 3 height width"]) -> Pyramid:
        """Return the maps at strides 8, 16 and 32."""
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[-3], maps[-2], maps[-1]


def make_activation(name: Activation) -> nn.Module:
    """Return a fresh activation of the backbone."""
    return leaky() if name == "leaky" else nn.ReLU(inplace=True)
