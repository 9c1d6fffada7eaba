"""The network as other runtimes get it: 8-bit pictures in, head maps out."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from jde.engines.model_card import constant_names, map_names
from jde.model.joint_head import JointHead
from jde.model.layers import fuse_all
from jde.model.network import JDENet, head
from jde.model.pyramid import LevelFeatures


class HeadMapsGraph(nn.Module):
    """Scaling, backbone, pyramid and heads; normalisation is folded into the convolutions.

    Args:
        network: Changed: give a copy.
        sparse: Leave the embedding convolution out, and hand out what it reads and its kernels.
    """

    def __init__(self, network: JDENet, *, sparse: bool) -> None:
        super().__init__()
        self.network = network.float().eval().requires_grad_(requires_grad=False)
        fuse_all(self.network)
        self.sparse = sparse
        self.heads = [head(network, level) for level in range(len(network.heads))]
        for level, one in enumerate(self.heads):
            self.register_buffer(f"kernel_{level}", flat_kernel(one))

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in order."""
        return [*map_names(sparse=self.sparse), *(constant_names() if self.sparse else [])]

    def forward(self, images: UInt8[Tensor, "n h w 3"]) -> tuple[Tensor, ...]:
        """Return box deltas, objectness and route or embeddings of each level, then constants."""
        answers: list[Tensor] = []
        for one, level in zip(self.heads, self.features(images), strict=True):
            box_deltas, objectness = one.detect(level.tip)
            # Rows of cells, so that the nine places around a cell lie in three runs of memory.
            last = level.route.permute(0, 2, 3, 1) if self.sparse else one.embedding(level.route)
            answers += [box_deltas, objectness, last]
        return (*answers, *(self.constants() if self.sparse else []))

    def features(self, images: UInt8[Tensor, "n h w 3"]) -> list[LevelFeatures]:
        """Return what the heads read."""
        scaled = images.permute(0, 3, 1, 2).float() / 255
        return self.network.pyramid(self.network.backbone(scaled))

    def constants(self) -> list[Tensor]:
        """Return kernel and bias of each level's embedding convolution."""
        pairs = []
        for level, one in enumerate(self.heads):
            assert one.embedding.bias is not None
            pairs += [self.get_buffer(f"kernel_{level}"), one.embedding.bias]
        return pairs


def flat_kernel(one: JointHead) -> Float32[Tensor, "places dim"]:
    """Return an embedding kernel as the matrix that flat surroundings of cells are multiplied by.

    The surroundings are flat in the order row, column, channel.
    """
    return torch.permute(one.embedding.weight.detach(), (2, 3, 1, 0)).flatten(0, 2).contiguous()
