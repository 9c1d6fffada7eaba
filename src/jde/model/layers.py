import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

LEAKY_SLOPE = 0.1
"""Slope of LeakyReLU below zero in DarkNet and JDE."""


def leaky() -> nn.Module:
    """Return the activation of DarkNet and of all necks and heads."""
    return nn.LeakyReLU(LEAKY_SLOPE, inplace=True)


class ConvNorm(nn.Module):
    """Convolution without bias, batch normalisation, activation.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: Side of the kernel, odd.
        stride: Step of the kernel.
        groups: Groups of channels; as many as `inputs` makes the convolution depthwise.
        activation: Last part; None leaves the sum linear.
        one_sided: Pad right and below only, as MindSpore's `same` does at stride 2.
    """

    def __init__(  # noqa: PLR0913 (the numbers of a convolution)
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        activation: nn.Module | None,
        one_sided: bool = False,
    ) -> None:
        super().__init__()
        self.one_sided = one_sided
        self.conv = nn.Conv2d(
            inputs,
            outputs,
            kernel,
            stride,
            padding=0 if one_sided else kernel // 2,
            groups=groups,
            bias=False,
        )
        self.norm: nn.Module = nn.BatchNorm2d(outputs)
        self.activation = activation or nn.Identity()

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return the activated maps."""
        if self.one_sided:
            images = functional.pad(images, (0, 1, 0, 1))
        return self.activation(self.norm(self.conv(images)))

    def fuse(self) -> None:
        """Fold the normalisation's running statistics into the convolution, for inference."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv.eval(), self.norm.eval())
            self.norm = nn.Identity()


class SeparableConvNorm(nn.Module):
    """A 3x3 convolution split into one per channel and a 1x1 across channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = ConvNorm(inputs, inputs, kernel=3, groups=inputs, activation=None)
        self.pointwise = ConvNorm(inputs, outputs, kernel=1, activation=leaky())

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """Return the activated maps."""
        return self.pointwise(self.depthwise(images))


def fuse_all(network: nn.Module) -> None:
    """Fold every batch normalisation below `network` into its convolution, in place."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, ConvNorm):
                module.fuse()
