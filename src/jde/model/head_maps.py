"""The border between whatever runs the network and everything after it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from jde.model.box_points import PointCells
from jde.structures.letterbox import Size


@dataclass(frozen=True, slots=True)
class LevelMaps:
    """Boxes and objectness of one level, in memory.

    Attributes:
        box_deltas: dx, dy, dw, dh against the anchor.
        objectness: Logits of background and of each class.
    """

    box_deltas: Float32[np.ndarray, "n anchors 4 h w"]
    objectness: Float32[np.ndarray, "n anchors kinds h w"]


@runtime_checkable
class HeadMaps(Protocol):
    """What an engine returns for a batch: levels at strides 32, 16 and 8.

    Embeddings are asked for by cell, since only the cells of people are ever needed: an engine
    may compute them on demand, or gather them where they lie.
    """

    @property
    def levels(self) -> tuple[LevelMaps, ...]:
        """Boxes and objectness, coarse to fine."""
        ...

    def embeddings(
        self,
        level: int,
        pictures: Int64[np.ndarray, " k"],
        rows: Int64[np.ndarray, " k"],
        columns: Int64[np.ndarray, " k"],
    ) -> Float32[np.ndarray, "k dim"]:
        """Return the embeddings, not normalised, of the cells (picture, row, column)."""
        ...

    def point_embeddings(
        self, level: int, picture: int, cells: PointCells
    ) -> Float32[np.ndarray, "n dim"]:
        """Return the embeddings, not normalised, of boxes that are read at points.

        Each point gives its own part of the numbers; the embedding convolution reads one cell.
        """
        ...


@runtime_checkable
class Engine(Protocol):
    """Runs a network: pictures to head maps."""

    @property
    def name(self) -> str:
        """Name of the runtime and the precision, for reports."""
        ...

    @property
    def input_size(self) -> Size:
        """Width and height of the pictures it takes."""
        ...

    @property
    def streams(self) -> int:
        """Calls that may be made at the same time, from a thread each."""
        ...

    @property
    def takes_any_size(self) -> bool:
        """Whether it takes pictures of other sizes, too: of sides that are multiples of 32."""
        ...

    def __call__(self, images: UInt8[np.ndarray, "n h w 3"]) -> HeadMaps:
        """Return the head maps of RGB pictures of one size that it takes."""
        ...
