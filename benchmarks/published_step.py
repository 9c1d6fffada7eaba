"""A detection step as the authors' program does it, for measuring ours against it.

Our own writing after the description of the method: the whole network in eager PyTorch and
float32, every embedding computed, and every anchor decoded into one row (box, score, class,
embedding) before any threshold. Suppression is ours: theirs needs torchvision.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from jde.imaging.letterboxing import letterbox_image
from jde.model.config import STRIDES, Anchors, LevelAnchors, ModelConfig
from jde.model.joint_head import LevelOutput
from jde.model.network import JDENet
from jde.model.suppression import suppress
from jde.structures.detections import Detections
from jde.structures.frame import Image
from jde.structures.letterbox import Letterbox

MAX_OVERLAP = 0.4
SCORE_COLUMN, FIRST_EMBEDDING_COLUMN = 4, 6


class PublishedStep(NamedTuple):
    """Picture to detections with every anchor decoded.

    Attributes:
        network: In evaluation mode, as it was trained.
        min_score: Detections have a higher score.
    """

    network: JDENet
    min_score: float

    @torch.inference_mode()
    def __call__(self, image: Image) -> Detections:
        """Return the people in a picture."""
        config = self.network.config
        fitted, letterbox = letterbox_image(image, config.input_size)
        scaled = np.ascontiguousarray(fitted.transpose(2, 0, 1)).astype(np.float32) / 255
        outputs = self.network(torch.from_numpy(scaled)[None])
        return finish(outputs, config, letterbox, self.min_score)


@torch.inference_mode()
def finish(
    outputs: list[LevelOutput], config: ModelConfig, letterbox: Letterbox, min_score: float
) -> Detections:
    """Return the detections of dense head maps: decode all, choose, suppress."""
    rows = dense_rows(outputs, config.anchors)
    rows = rows[rows[:, SCORE_COLUMN] > min_score]
    halves = rows[:, 2:4] / 2
    boxes = torch.cat([rows[:, :2] - halves, rows[:, :2] + halves], dim=1).numpy()
    scores = rows[:, SCORE_COLUMN].numpy()
    kept = suppress(boxes, scores, max_overlap=MAX_OVERLAP)
    embeddings = rows[:, FIRST_EMBEDDING_COLUMN:].numpy()
    return Detections(letterbox.to_image(boxes[kept]), scores[kept], embeddings[kept])


def dense_rows(outputs: list[LevelOutput], anchors: Anchors) -> Tensor:
    """Return one row for every anchor of every cell: centre box, score, class, embedding."""
    return torch.cat(
        [
            level_rows(output, level_anchors, stride)
            for output, level_anchors, stride in zip(outputs, anchors, STRIDES, strict=True)
        ]
    )


def level_rows(output: LevelOutput, anchors: LevelAnchors, stride: int) -> Tensor:
    """Return the rows of one level of the first picture."""
    deltas, logits = output.box_deltas[0].movedim(1, -1), output.objectness[0].movedim(1, -1)
    kinds, height, width, _ = deltas.shape
    down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    cells = torch.stack([across, down], dim=-1).float() * stride
    sizes = torch.tensor(anchors)[:, None, None]
    boxes = torch.cat([deltas[..., :2] * sizes + cells, deltas[..., 2:].exp() * sizes], dim=-1)
    scores = logits.softmax(dim=-1)[..., 1:]
    embeddings = torch.nn.functional.normalize(output.embeddings[0].permute(1, 2, 0), dim=-1)
    repeated = embeddings[None].expand(kinds, height, width, -1)
    return torch.cat([boxes, scores, torch.zeros_like(scores), repeated], dim=-1).flatten(0, 2)
