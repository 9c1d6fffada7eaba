"""A network that finishes its detections itself, for runtimes without our code."""

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn

from jde.engines.head_maps_graph import HeadMapsGraph, to_float32
from jde.engines.model_card import BOXES, CLASSES, EMBEDDINGS, SCORES
from jde.model.config import STRIDES, ModelConfig
from jde.model.detector import TINY
from jde.model.joint_head import ANCHORS_PER_LEVEL
from jde.model.network import JDENet
from jde.model.pyramid import LevelFeatures

ROUNDS = 16
"""Rounds of suppression: exact unless more than so many boxes in a row push each other out."""

KERNEL_PLACES = 9


class DetectionsGraph(nn.Module):
    """Pictures to the best boxes, suppressed, with unit embeddings; plain operators only.

    A box that another one suppresses keeps its row and gets a score of 0. The size of the input
    is fixed.

    Args:
        network: Changed: give a copy.
        limit: Boxes with the best scores that are looked at.
        max_overlap: Of two boxes that overlap more than this, the one with the lower score goes.
        margin: Added to every side when boxes are compared.
        precision: Of the network's arithmetic; boxes, scores and embeddings are float32.
    """

    def __init__(
        self,
        network: JDENet,
        *,
        limit: int,
        max_overlap: float,
        margin: float = 0.0,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.maps = HeadMapsGraph(network, sparse=True, precision=precision)
        self.has_classes = len(network.config.classes) > 1
        priors = Priors(network.config)
        self.points = network.config.appearance_points
        width, height = network.config.input_size
        self.finest_size = width // STRIDES[-1], height // STRIDES[-1]
        self.limit = min(limit, len(priors.sizes))
        self.max_overlap, self.margin = max_overlap, margin
        self.widths = [network.config.input_size[0] // stride for stride in STRIDES]
        self.sizes = nn.Buffer(torch.from_numpy(priors.sizes))
        self.corners = nn.Buffer(torch.from_numpy(priors.corners))
        self.levels = nn.Buffer(torch.from_numpy(priors.levels))
        self.cells = nn.Buffer(torch.from_numpy(priors.cells))
        self.earlier = nn.Buffer(torch.ones(self.limit, self.limit).triu(1))

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in order."""
        return [BOXES, SCORES, EMBEDDINGS, *([CLASSES] if self.has_classes else [])]

    def forward(self, images: UInt8[Tensor, "n h w 3"]) -> tuple[Tensor, ...]:
        """Return boxes (n, k, 4) in pixels of the input, scores (n, k) and embeddings (n, k, d).

        A network of several classes also gives their numbers (n, k).
        """
        features = self.maps.features(images)
        deltas, leads, classes = self.detect(features)
        best, chosen = leads.topk(self.limit, dim=1)
        boxes = self.decode(
            deltas.gather(1, chosen[:, :, None].expand(-1, -1, deltas.shape[2])), chosen
        )
        found = classes.gather(1, chosen) if classes is not None else None
        scores = best.sigmoid() * self.survivors(boxes, found)
        embeddings = (
            self.embed_points(features[-1], boxes) if self.points else self.embed(features, chosen)
        )
        answers = (boxes, scores, unit_length(embeddings))
        return answers if found is None else (*answers, found)

    def detect(
        self, features: list[LevelFeatures]
    ) -> tuple[Float32[Tensor, "n all 4"], Float32[Tensor, "n all"], Int64[Tensor, "n all"] | None]:
        """Return box deltas, the lead of the likeliest class over all else, and its number.

        They are those of all anchors. A network of people alone has no numbers of classes.
        """
        deltas, leads, classes = [], [], []
        for one, level in zip(self.maps.heads, features, strict=True):
            box_deltas, objectness = map(to_float32, one.detect(level.tip))
            deltas.append(box_deltas.permute(0, 1, 3, 4, 2).flatten(1, 3))
            if not self.has_classes:
                leads.append((objectness[:, :, 1] - objectness[:, :, 0]).flatten(1))
                continue
            lead, number = best_class(objectness.transpose(1, 2).flatten(2))
            leads.append(lead)
            classes.append(number)
        return (
            torch.cat(deltas, dim=1),
            torch.cat(leads, dim=1),
            torch.cat(classes, dim=1) if self.has_classes else None,
        )

    def decode(
        self, deltas: Float32[Tensor, "n k 4"], chosen: Int64[Tensor, "n k"]
    ) -> Float32[Tensor, "n k 4"]:
        """Return corner boxes of chosen anchors."""
        sizes = self.sizes[chosen]
        centres = sizes * deltas[:, :, :2] + self.corners[chosen]
        halves = sizes * deltas[:, :, 2:].exp() / 2
        return torch.cat([centres - halves, centres + halves], dim=2)

    def survivors(
        self, boxes: Float32[Tensor, "n k 4"], classes: Int64[Tensor, "n k"] | None = None
    ) -> Float32[Tensor, "n k"]:
        """Return 1 for boxes that suppression keeps and 0 for the others; best box first.

        Where there are classes, boxes only suppress others of their own.
        """
        upper = torch.maximum(boxes[:, :, None, :2], boxes[:, None, :, :2])
        lower = torch.minimum(boxes[:, :, None, 2:], boxes[:, None, :, 2:])
        sides = (lower - upper + self.margin).clamp(min=0)
        shared = sides[..., 0] * sides[..., 1]
        own = boxes[:, :, 2:] - boxes[:, :, :2] + self.margin
        areas = own[..., 0] * own[..., 1]
        together = areas[:, :, None] + areas[:, None, :] - shared
        conflicts = (shared > self.max_overlap * together).float() * self.earlier
        if classes is not None:
            conflicts = conflicts * (classes[:, :, None] == classes[:, None, :]).float()
        kept = torch.ones_like(boxes[:, None, :, 0])
        # From the best box on, each round settles those whose rivals are settled.
        for _ in range(ROUNDS):
            kept = (kept @ conflicts < 1).float()
        return kept[:, 0]

    def embed(
        self, features: list[LevelFeatures], chosen: Int64[Tensor, "n k"]
    ) -> Float32[Tensor, "n k d"]:
        """Return embeddings of the cells of chosen anchors, computed there only."""
        kernels = self.maps.constants()
        levels = self.levels[chosen]
        total: Tensor | None = None
        for level, (feature, width) in enumerate(zip(features, self.widths, strict=True)):
            mine = (levels == level).float()
            cells = self.cells[chosen] * (levels == level).long()
            patches = gather_patches(to_float32(feature.route), cells, width)
            found = patches @ kernels[2 * level] + kernels[2 * level + 1]
            found = found * mine[:, :, None]
            total = found if total is None else total + found
        assert total is not None
        return total

    def embed_points(
        self, finest: LevelFeatures, boxes: Float32[Tensor, "n k 4"]
    ) -> Float32[Tensor, "n k d"]:
        """Return embeddings of boxes, read at points down their middle: `box_points` in a graph."""
        maps = to_float32(finest.route).permute(0, 2, 3, 1)
        width, height = self.finest_size
        steps = (torch.arange(self.points, device=boxes.device) + 0.5) / self.points
        y = boxes[:, :, 1:2] + steps * (boxes[:, :, 3:4] - boxes[:, :, 1:2])
        top, bottom, down = between(y, height)
        left, right, across = between((boxes[:, :, 0:1] + boxes[:, :, 2:3]) / 2, width)
        picture = torch.arange(maps.shape[0], device=boxes.device)[:, None, None] * (height * width)
        cells, read = maps.flatten(0, 2), picture + left
        upper = cells[top * width + read] * (1 - across)[..., None]
        lower = cells[bottom * width + read] * (1 - across)[..., None]
        read = picture + right
        upper = upper + cells[top * width + read] * across[..., None]
        lower = lower + cells[bottom * width + read] * across[..., None]
        found = upper * (1 - down)[..., None] + lower * down[..., None]
        kernel, bias = self.maps.constants()[-2:]
        # Each point gives its own part of the numbers.
        parts = kernel.reshape(len(kernel), self.points, -1).permute(1, 0, 2)
        return (found[:, :, :, None] @ parts).flatten(2) + bias


def unit_length(embeddings: Float32[Tensor, "n k d"]) -> Float32[Tensor, "n k d"]:
    """Return embeddings of unit length."""
    return embeddings / (embeddings * embeddings).sum(dim=2, keepdim=True).sqrt().clamp(min=TINY)


def between(
    places: Float32[Tensor, "n k points"], length: int
) -> tuple[Int64[Tensor, "n k points"], Int64[Tensor, "n k points"], Float32[Tensor, "n k points"]]:
    """Return the cells before and after places along an axis, and the share of the one after."""
    cells = (places / STRIDES[-1] - 0.5).clamp(min=0, max=length - 1)
    before = cells.long()
    return before, (before + 1).clamp(max=length - 1), cells - before.float()


def best_class(
    logits: Float32[Tensor, "n kinds all"],
) -> tuple[Float32[Tensor, "n all"], Int64[Tensor, "n all"]]:
    """Return the logit of the likeliest class's probability, and its number."""
    best, classes = logits[:, 1:].max(dim=1)
    numbers = torch.arange(logits.shape[1] - 1, device=logits.device)[None, :, None]
    # The exponentials of all others against the best: at most 1 for each other class.
    others = (logits[:, 1:] - best[:, None]).exp() * (numbers != classes[:, None]).float()
    return -((logits[:, 0] - best).exp() + others.sum(dim=1)).log(), classes


def gather_patches(
    maps: Float32[Tensor, "n c h w"], cells: Int64[Tensor, "n k"], width: int
) -> Float32[Tensor, "n k places"]:
    """Return the flat 3x3 surroundings of cells, zero beyond the border.

    Args:
        maps: What the embedding convolution reads.
        cells: Upper left corners of the surroundings in the map with a border of one cell.
        width: Columns of the map, without the border.
    """
    padded = nn.functional.pad(maps, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    steps = [row * (width + 2) + column for row in range(3) for column in range(3)]
    places = cells[:, :, None] + torch.tensor(steps, dtype=torch.int64, device=maps.device)
    numbers = torch.arange(maps.shape[0], device=maps.device)
    picture = numbers * (padded.shape[1] * padded.shape[2])
    found = padded.flatten(0, 2)[places + picture[:, None, None]]
    return found.flatten(2)


class Priors:
    """What is known of every anchor of every cell, in the order level, anchor, row, column.

    Attributes:
        sizes: Width and height of the anchor.
        corners: Upper left corner of the cell, in pixels.
        levels: Number of the level.
        cells: Where its surroundings begin in a map with a border of one cell.
    """

    def __init__(self, config: ModelConfig) -> None:
        sizes, corners, levels, cells = [], [], [], []
        for level, (stride, anchors) in enumerate(zip(STRIDES, config.anchors, strict=True)):
            columns, rows = config.input_size[0] // stride, config.input_size[1] // stride
            shape = (ANCHORS_PER_LEVEL, rows, columns)
            kind, row, column = (axis.ravel() for axis in np.indices(shape))
            sizes.append(np.array(anchors, np.float32)[kind])
            corners.append(np.stack([column, row], axis=1).astype(np.float32) * stride)
            levels.append(np.full(len(kind), level, np.int64))
            cells.append((row * (columns + 2) + column).astype(np.int64))
        self.sizes: Float32[np.ndarray, "all 2"] = np.concatenate(sizes)
        self.corners: Float32[np.ndarray, "all 2"] = np.concatenate(corners)
        self.levels: Int64[np.ndarray, " all"] = np.concatenate(levels)
        self.cells: Int64[np.ndarray, " all"] = np.concatenate(cells)
