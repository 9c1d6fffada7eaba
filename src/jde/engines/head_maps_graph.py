"""The network as other runtimes get it: 8-bit pictures in, head maps out."""

import numpy as np
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
        precision: Of the arithmetic; outputs are float32.
    """

    def __init__(
        self, network: JDENet, *, sparse: bool, precision: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.network = network.float().eval().requires_grad_(requires_grad=False)
        fuse_all(self.network)
        self.sparse, self.precision = sparse, precision
        self.cast_first = False
        """Leave the 8 bits before anything else, as TensorRT wants it."""
        self.heads = [head(network, level) for level in range(len(network.heads))]
        for level, one in enumerate(self.heads):
            assert one.embedding.bias is not None
            self.register_buffer(f"kernel_{level}", flat_kernel(one))
            self.register_buffer(f"bias_{level}", one.embedding.bias.detach().clone())
        self.network.to(precision)

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in order."""
        return [*map_names(sparse=self.sparse), *(constant_names() if self.sparse else [])]

    def forward(self, images: UInt8[Tensor, "n h w 3"]) -> tuple[Tensor, ...]:
        """Return box deltas, objectness and route or embeddings of each level, then constants."""
        return (*self.maps(images), *(self.constants() if self.sparse else []))

    def maps(self, images: UInt8[Tensor, "n h w 3"]) -> list[Tensor]:
        """Return box deltas, objectness and route or embeddings of each level."""
        answers: list[Tensor] = []
        for one, level in zip(self.heads, self.features(images), strict=True):
            box_deltas, objectness = one.detect(level.tip)
            # Rows of cells, so that the nine places around a cell lie in three runs of memory.
            last = level.route.permute(0, 2, 3, 1) if self.sparse else one.embedding(level.route)
            answers += [to_float32(each) for each in (box_deltas, objectness, last)]
        return answers

    def features(self, images: UInt8[Tensor, "n h w 3"]) -> list[LevelFeatures]:
        """Return what the heads read."""
        if self.cast_first:
            images = images.to(self.precision)
        scaled = images.permute(0, 3, 1, 2).to(self.precision) / 255
        return self.network.read(scaled)

    def constant_arrays(self) -> dict[str, np.ndarray]:
        """Return the constants by name, for files that hold them beside the graph."""
        if not self.sparse:
            return {}
        values = (value.detach().cpu().numpy().copy() for value in self.constants())
        return dict(zip(constant_names(), values, strict=True))

    def constants(self) -> list[Tensor]:
        """Return kernel and bias of each level's embedding convolution."""
        return [
            self.get_buffer(f"{kind}_{level}")
            for level in range(len(self.heads))
            for kind in ("kernel", "bias")
        ]


class MapsAlone(nn.Module):
    """The maps of a graph without its constants."""

    def __init__(self, graph: HeadMapsGraph) -> None:
        super().__init__()
        # Not `graph`: that name belongs to PyTorch's own traced modules.
        self.whole = graph
        self.output_names = map_names(sparse=graph.sparse)

    def forward(self, images: UInt8[Tensor, "n h w 3"]) -> list[Tensor]:
        """Return box deltas, objectness and route or embeddings of each level."""
        return self.whole.maps(images)


def to_float32(values: Tensor) -> Tensor:
    """Return float32 values.

    Nothing is done where they are that: runtimes drop the names of outputs that nothing computes.
    """
    return values if values.dtype == torch.float32 else values.float()


def flat_kernel(one: JointHead) -> Float32[Tensor, "places dim"]:
    """Return an embedding kernel as the matrix that flat surroundings of cells are multiplied by.

    The surroundings are flat in the order row, column, channel.
    """
    return torch.permute(one.embedding.weight.detach(), (2, 3, 1, 0)).flatten(0, 2).contiguous()
