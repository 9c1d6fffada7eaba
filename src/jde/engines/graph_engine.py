import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from jde.engines.graph_runtime import Arrays, GraphRuntime
from jde.engines.model_card import CONSTANT_OUTPUTS, DENSE, MAP_OUTPUTS, ROUTE, at
from jde.model.box_points import PointCells, blend
from jde.model.config import STRIDES
from jde.model.head_maps import LevelMaps
from jde.structures.blas import ONE_BLAS_THREAD
from jde.structures.letterbox import Size


class GraphEngine:
    """Runs an exported graph of head maps, on whatever runtime.

    Args:
        runtime: Runs the graph.
    """

    def __init__(self, runtime: GraphRuntime) -> None:
        self.runtime = runtime

    @property
    def name(self) -> str:
        """Name of the runtime and the precision."""
        return self.runtime.name

    @property
    def input_size(self) -> Size:
        """Width and height of the pictures it takes."""
        return self.runtime.input_size

    @property
    def streams(self) -> int:
        """Calls that may be made at the same time, from a thread each."""
        return self.runtime.streams

    @property
    def takes_any_size(self) -> bool:
        """Whether it takes pictures of other sizes, too."""
        return self.runtime.takes_any_size

    def __call__(self, images: UInt8[np.ndarray, "n h w 3"]) -> "GraphHeadMaps":
        """Return the head maps of RGB pictures of one size that it takes."""
        return GraphHeadMaps(self.runtime.run(images), self.runtime.constants)


@dataclass(frozen=True, slots=True)
class GraphHeadMaps:
    """Head maps whose embeddings are gathered, or computed, on demand.

    Attributes:
        arrays: Outputs of the graph for some pictures.
        constants: The embedding convolutions; empty where `arrays` holds dense embeddings.
    """

    arrays: Arrays
    constants: Arrays

    @property
    def levels(self) -> tuple[LevelMaps, ...]:
        """Boxes and objectness, coarse to fine."""
        boxes, objectness = MAP_OUTPUTS
        return tuple(
            LevelMaps(self.arrays[at(boxes, stride)], self.arrays[at(objectness, stride)])
            for stride in STRIDES
        )

    def embeddings(
        self,
        level: int,
        pictures: Int64[np.ndarray, " k"],
        rows: Int64[np.ndarray, " k"],
        columns: Int64[np.ndarray, " k"],
    ) -> Float32[np.ndarray, "k dim"]:
        """Return the embeddings of the cells, computed at these cells only where they can be."""
        stride = STRIDES[level]
        if at(DENSE, stride) in self.arrays:
            return self.arrays[at(DENSE, stride)][pictures, :, rows, columns]
        kernel, bias = (self.constants[at(name, stride)] for name in CONSTANT_OUTPUTS)
        maps = self.arrays[at(ROUTE, stride)]
        side = math.isqrt(len(kernel) // maps.shape[3])
        patches = cut_patches(maps, pictures, rows, columns, side)
        with ONE_BLAS_THREAD:
            return patches.reshape(len(patches), -1) @ kernel + bias

    def point_embeddings(
        self, level: int, picture: int, cells: PointCells
    ) -> Float32[np.ndarray, "n dim"]:
        """Return the embeddings of boxes: of each point its part, and no other."""
        stride = STRIDES[level]
        boxes, points, _ = cells.rows.shape
        if at(DENSE, stride) in self.arrays:
            maps = self.arrays[at(DENSE, stride)][picture]
            parts = maps.reshape(points, -1, *maps.shape[1:])
            own = np.arange(points)[None, :, None]
            read = parts[own, :, cells.rows, cells.columns]
            return blend(read, cells.shares).reshape(boxes, len(maps))
        kernel, bias = (self.constants[at(name, stride)] for name in CONSTANT_OUTPUTS)
        read = self.arrays[at(ROUTE, stride)][picture, cells.rows, cells.columns]
        return embed_parts(blend(read, cells.shares), kernel) + bias


def embed_parts(
    read: Float32[np.ndarray, "n points c"], kernel: Float32[np.ndarray, "c dim"]
) -> Float32[np.ndarray, "n dim"]:
    """Return embeddings without bias: what each point read, by its own part of a kernel."""
    boxes, points, channels = read.shape
    parts = kernel.reshape(channels, points, -1).transpose(1, 0, 2)
    return (read.transpose(1, 0, 2) @ parts).transpose(1, 0, 2).reshape(boxes, -1)


def cut_patches(
    maps: Float32[np.ndarray, "n h w c"],
    pictures: Int64[np.ndarray, " k"],
    rows: Int64[np.ndarray, " k"],
    columns: Int64[np.ndarray, " k"],
    side: int,
) -> Float32[np.ndarray, "k side side c"]:
    """Return the surroundings of cells that a kernel of `side` reads, zero beyond the border."""
    y, inside_y = reach(rows, maps.shape[1], side)
    x, inside_x = reach(columns, maps.shape[2], side)
    patches = maps[pictures[:, None, None], y[:, :, None], x[:, None, :]]
    patches[~(inside_y[:, :, None] & inside_x[:, None, :])] = 0
    return patches


def reach(
    cells: Int64[np.ndarray, " k"], length: int, side: int
) -> tuple[Int64[np.ndarray, "k side"], Bool[np.ndarray, "k side"]]:
    """Return the places around cells along one axis, kept inside, and which of them were."""
    places = cells[:, None] + np.arange(side) - side // 2
    return places.clip(0, length - 1), (places >= 0) & (places < length)
