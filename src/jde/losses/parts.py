"""The losses themselves, on gathered values in single precision."""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from jde.losses.assignment import IGNORED, Cells, LevelTargets

FOCAL_FOREGROUND, FOCAL_POWER = 0.25, 2.0
"""Weight of the foreground and power of the easy cases in the focal loss; values of its paper."""

MAX_LOG_SIDE = 8.0
"""Sides beyond e^8 anchors would overflow in half precision and help no overlap."""

PERSON_AND_BACKGROUND = 2
"""Logits of a published network, whose difference is all that counts."""


class IdentityCells(NamedTuple):
    """Some cells of a level with identity and row of the person in each; -1 where unknown."""

    cells: Cells
    identities: Int64[Tensor, " c"]
    people: Int64[Tensor, " c"]

    def where(self, kept: Int64[Tensor, " k"]) -> "IdentityCells":
        """Return the cells at the places `kept`."""
        cells = Cells(*(axis[kept] for axis in self.cells))
        return IdentityCells(cells, self.identities[kept], self.people[kept])


Part = tuple[Float32[Tensor, ""], Float32[Tensor, ""]]
"""A sum of losses and what to divide it by."""


def box_loss(
    found: Float32[Tensor, "p 4"],
    wanted: Float32[Tensor, "p 4"],
    anchors: Float32[Tensor, "p 2"],
    kind: Literal["smooth-l1", "giou"],
) -> Float32[Tensor, "p k"]:
    """Return the loss of each box: of its four offsets, or one for its overlap."""
    if kind == "smooth-l1":
        return F.smooth_l1_loss(found, wanted, reduction="none")
    return 1 - _generalised_overlap(_corners(found, anchors), _corners(wanted, anchors))[:, None]


def _corners(
    deltas: Float32[Tensor, "p 4"], anchors: Float32[Tensor, "p 2"]
) -> Float32[Tensor, "p 4"]:
    """Return corner boxes relative to the anchor's grid point."""
    centre = deltas[:, :2] * anchors
    half = deltas[:, 2:].clamp(max=MAX_LOG_SIDE).exp() * anchors / 2
    return torch.cat([centre - half, centre + half], dim=1)


def _generalised_overlap(
    first: Float32[Tensor, "p 4"], second: Float32[Tensor, "p 4"]
) -> Float32[Tensor, " p"]:
    shared = torch.minimum(first[:, 2:], second[:, 2:]) - torch.maximum(first[:, :2], second[:, :2])
    hull = torch.maximum(first[:, 2:], second[:, 2:]) - torch.minimum(first[:, :2], second[:, :2])
    shared_area = shared.clamp(min=0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (first, second)]
    union = areas[0] + areas[1] - shared_area
    hull_area = hull.prod(-1)
    return shared_area / union - (hull_area - union) / hull_area


def log_odds(
    logits: Float[Tensor, "n a kinds h w"], target: Int64[Tensor, "n a h w"]
) -> Float32[Tensor, "n a h w"]:
    """Return the logit of the probability that softmax gives to each anchor's target.

    Args:
        logits: Of background and of each class.
        target: 0 for background, 1 and the number of the class otherwise; what it is for ignored
            anchors doesn't matter.
    """
    if logits.shape[2] == PERSON_AND_BACKGROUND:
        margin = logits[:, :, 1].float() - logits[:, :, 0].float()
        return torch.where(target == 1, margin, -margin)
    wanted = target.clamp(min=0)[:, :, None]
    values = logits.float()
    others = values.scatter(2, wanted, -torch.inf).logsumexp(2)
    return values.gather(2, wanted)[:, :, 0] - others


def softmax_loss(
    towards: Float32[Tensor, "n a h w"], target: Int64[Tensor, "n a h w"], *, count_ignored: bool
) -> Part:
    """Return the cross-entropy of targets with these log odds, ignored anchors left out."""
    counted = target != IGNORED
    total = torch.where(counted, F.softplus(-towards), 0).sum()
    return total, total.new_tensor(
        float(target.numel())
    ) if count_ignored else counted.sum().float()


def focal_loss(towards: Float32[Tensor, "n a h w"], target: Int64[Tensor, "n a h w"]) -> Part:
    """Return the focal loss, to be divided by the number of anchors that have to find somebody."""
    wanted = target > 0
    weight = torch.where(wanted, FOCAL_FOREGROUND, 1 - FOCAL_FOREGROUND)
    losses = weight * torch.sigmoid(-towards) ** FOCAL_POWER * F.softplus(-towards)
    total = torch.where(target != IGNORED, losses, 0).sum()
    return total, wanted.sum().float().clamp(min=1)


def identity_cells(target: LevelTargets, limit: int) -> IdentityCells:
    """Return the cells whose embeddings learn, with who stands there.

    With a `limit` they are the first so many of each picture that know their identity, without the
    first cell of the grid.
    """
    cells, identities = target.cells, target.identities
    if not limit:
        return IdentityCells(cells, identities, target.people)
    usable = (identities >= 0) & ((cells.row > 0) | (cells.column > 0))
    picture = cells.picture[usable]
    # Cells come picture by picture, so a cell's rank is its distance from the picture's first.
    rank = torch.arange(len(picture), device=picture.device) - torch.searchsorted(picture, picture)
    return IdentityCells(cells, identities, target.people).where(
        usable.nonzero()[:, 0][rank < limit]
    )
