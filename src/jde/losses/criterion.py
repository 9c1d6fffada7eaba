import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn

from jde.data.batch import Batch
from jde.losses.assignment import Grid, LevelTargets, People, assign
from jde.losses.config import LossConfig
from jde.losses.pairs import measure_pairs, pair_weights
from jde.losses.parts import box_loss, focal_loss, identity_cells, log_odds, softmax_loss
from jde.model.config import STRIDES
from jde.model.joint_head import LevelOutput

Average = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class LossParts:
    """The loss of a batch.

    Attributes:
        total: What training minimises; negative values are normal late in training.
        box: Per level, coarse to fine, before weighing.
        objectness: Per level.
        identity: Per level.
    """

    total: Float32[Tensor, ""]
    box: Float32[Tensor, " levels"]
    objectness: Float32[Tensor, " levels"]
    identity: Float32[Tensor, " levels"]


def embedding_scale(identities: int) -> float:
    """Return the length of embeddings before the classifier, sqrt(2) ln(n - 1).

    With two identities the formula gives 0, which would cut the embedding off from its loss: it
    then is 1, as published for fewer.
    """
    return math.sqrt(2) * math.log(identities - 1) if identities > 2 else 1.0  # noqa: PLR2004 (said above)


class JDECriterion(nn.Module):
    """Box, objectness and identity loss of each level under learned weights.

    The identity classifier lives here, not in the network: tracking never needs it.
    """

    anchors: Tensor

    def __init__(
        self,
        anchors: Sequence[Sequence[tuple[float, float]]],
        embedding_dim: int,
        identities: int,
        config: LossConfig | None = None,
    ) -> None:
        """Make the criterion.

        Args:
            anchors: Width and height of the anchors of each level, coarse to fine.
            embedding_dim: Length of an embedding.
            identities: Number of identities in the training set; 0 trains the detector alone.
            config: How to measure and weigh.
        """
        super().__init__()
        self.config = config or LossConfig()
        self.scale = self.config.embedding_scale or embedding_scale(identities)
        self.classifier = nn.Linear(embedding_dim, max(identities, 1))
        levels = len(anchors)
        box, objectness, identity = self.config.uncertainties
        self.box_weight = nn.Parameter(torch.full((levels,), box))
        self.objectness_weight = nn.Parameter(torch.full((levels,), objectness))
        self.identity_weight = nn.Parameter(torch.full((levels,), identity))
        self.register_buffer(
            "anchors", torch.tensor(anchors, dtype=torch.float32), persistent=False
        )

    def forward(
        self, outputs: Sequence[LevelOutput], batch: Batch, average: Average | None = None
    ) -> LossParts:
        """Return the loss of a batch.

        Args:
            outputs: What the network said, coarse to fine.
            batch: The people who stand in the pictures, on the device of `outputs`.
            average: Mean of a tensor over all processes. With it the means of the losses are those
                of the global batch once gradients are averaged over processes.
        """
        targets = self.assign(outputs, batch)
        with torch.autocast(batch.boxes.device.type, enabled=False):
            sums, counts = self.measure(outputs, targets, batch)
            shared = average(counts) if average else counts
            parts = sums / shared.clamp(min=torch.finfo(sums.dtype).tiny)
            return self.weigh(*self.join(parts, shared > 0))

    def assign(self, outputs: Sequence[LevelOutput], batch: Batch) -> list[LevelTargets]:
        """Return what each level should have said of a batch."""
        people = People(batch.boxes, batch.identities, batch.picture, batch.classes)
        best = self.config.assign_best
        return assign(people, self.grids(outputs), len(batch), assign_best=best)

    def grids(self, outputs: Sequence[LevelOutput]) -> list[Grid]:
        """Return the level that belongs to each output."""
        return [
            Grid(anchors, stride, *output.objectness.shape[-2:])
            for anchors, stride, output in zip(self.anchors, STRIDES, outputs, strict=True)
        ]

    def measure(
        self, outputs: Sequence[LevelOutput], targets: Sequence[LevelTargets], batch: Batch
    ) -> tuple[Float32[Tensor, "k levels"], Float32[Tensor, "k levels"]]:
        """Return the sums of losses and what to divide them by.

        Rows are box, objectness and softmax, then the losses of pairs that count.
        """
        levels = [
            (
                self.measure_boxes(output, target, index),
                self.measure_objectness(output, target),
                self.measure_identities(output, target),
                *self.measure_pairs(output, target, batch),
            )
            for index, (output, target) in enumerate(zip(outputs, targets, strict=True))
        ]
        sums, counts = (
            torch.stack([torch.stack([part[which] for part in level]) for level in levels], dim=1)
            for which in (0, 1)
        )
        return sums, counts

    def measure_boxes(
        self, output: LevelOutput, target: LevelTargets, level: int
    ) -> tuple[Float32[Tensor, ""], Float32[Tensor, ""]]:
        """Return the sum of box losses of a level and the number of its terms."""
        picture, anchor, row, column = target.places
        found = output.box_deltas[picture, anchor, :, row, column].float()
        losses = box_loss(found, target.boxes, self.anchors[level][anchor], self.config.box)
        return losses.sum(), losses.new_tensor(float(losses.numel()))

    def measure_objectness(
        self, output: LevelOutput, target: LevelTargets
    ) -> tuple[Float32[Tensor, ""], Float32[Tensor, ""]]:
        """Return the sum of objectness losses of a level and what to divide it by."""
        towards = log_odds(output.objectness, target.objectness)
        if self.config.objectness == "focal":
            return focal_loss(towards, target.objectness)
        return softmax_loss(
            towards, target.objectness, count_ignored=self.config.objectness_mean == "all"
        )

    def measure_identities(
        self, output: LevelOutput, target: LevelTargets
    ) -> tuple[Float32[Tensor, ""], Float32[Tensor, ""]]:
        """Return the sum of identity losses of a level and what to divide it by."""
        cells, identities, _ = identity_cells(target, self.config.max_cells)
        known = identities >= 0
        picture, row, column = (axis[known] for axis in cells)
        found = output.embeddings[picture, :, row, column].float()
        logits = self.classify(found)
        loss = F.cross_entropy(
            logits,
            identities[known],
            reduction="sum",
            label_smoothing=self.config.label_smoothing,
        )
        over_all = self.config.identity_mean == "all"
        count = loss.new_tensor(float(len(identities))) if over_all else known.sum().float()
        if self.config.skip_lone_cells and len(identities) == 1:
            return loss * 0, count
        return loss, count

    def measure_pairs(
        self, output: LevelOutput, target: LevelTargets, batch: Batch
    ) -> list[tuple[Float32[Tensor, ""], Float32[Tensor, ""]]]:
        """Return the sums of the losses of pairs of a level and what to divide them by."""
        if not pair_weights(self.config):
            return []
        # Pairs have a bound of their own; this one would leave out everybody of unknown identity.
        where = identity_cells(target, limit=0)
        if batch.people is not None:
            numbers = batch.people[where.people.clamp(min=0)]
            where = where._replace(people=torch.where(where.people >= 0, numbers, where.people))
        picture, row, column = where.cells
        found = output.embeddings[picture, :, row, column].float()
        return measure_pairs(found, where, batch.views, self.config)

    def join(
        self, parts: Float32[Tensor, "k levels"], measured: Bool[Tensor, "k levels"]
    ) -> tuple[Float32[Tensor, "3 levels"], Bool[Tensor, "3 levels"]]:
        """Return box, objectness and all identity losses together, and where they were measured."""
        weights = parts.new_tensor([self.config.softmax, *pair_weights(self.config)])[:, None]
        identity = (weights * parts[2:]).sum(0, keepdim=True)
        known = (measured[2:] & (weights > 0)).any(0, keepdim=True)
        return torch.cat([parts[:2], identity]), torch.cat([measured[:2], known])

    def classify(self, embeddings: Float[Tensor, "c d"]) -> Float[Tensor, "c identities"]:
        """Return the logits of all identities for embeddings as the network gives them."""
        unit = F.normalize(embeddings, dim=1, eps=1e-12)
        return self.classifier(self.scale * unit)

    def weigh(self, parts: Float32[Tensor, "3 levels"], measured: Tensor) -> LossParts:
        """Return the total of the parts under the learned weights."""
        weights = torch.stack([self.box_weight, self.objectness_weight, self.identity_weight])
        if self.config.hold_idle_weights:
            weights = torch.where(measured, weights, weights.detach())
        levels = 0.5 * (torch.exp(-weights) * parts + weights).sum(0)
        total = levels.sum() if self.config.level_reduction == "sum" else levels.mean()
        box, objectness, identity = parts.detach()
        return LossParts(total, box, objectness, identity)
