"""Losses of pairs of embeddings: who is the same comes closer together, who isn't moves apart.

All take unit vectors, compare every cell of a level with every other of the process's batch, and
return the sum over the cells that have both a partner and somebody else to compare with, and their
number.
"""

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from jde.losses.config import LossConfig
from jde.losses.parts import IdentityCells, Part

Unit = Float32[Tensor, "c d"]
Pairs = Bool[Tensor, "c c"]

MOST_CELLS = 2048
"""Cells that are compared with one another: memory grows with the square of their number."""


def measure_pairs(
    embeddings: Float32[Tensor, "c d"], where: IdentityCells, views: int, config: LossConfig
) -> list[Part]:
    """Return the triplet, circle and view losses of a level, those of them that count.

    Args:
        embeddings: As the network gives them, of the cells of `where`.
        where: Who stands in which cell; `people` numbers them over all views.
        views: How many pictures in a row are views of one.
        config: Weights, margins and scales.
    """
    kept = thin(len(embeddings), embeddings.device)
    unit, where = F.normalize(embeddings[kept], dim=1, eps=1e-12), where.where(kept)
    named = where.identities >= 0
    parts = list[Part]()
    if config.triplet or config.circle:
        pairs = same_identity(where.identities[named])
        if config.triplet:
            parts.append(triplet_loss(unit[named], *pairs, margin=config.triplet_margin))
        if config.circle:
            parts.append(
                circle_loss(
                    unit[named], *pairs, margin=config.circle_margin, scale=config.circle_scale
                )
            )
    if config.views:
        picture = where.cells.picture
        original = picture // views if config.views_against == "picture" else None
        same, different = same_in_other_view(where.people, picture, original)
        if config.views_of == "unknown":
            same &= ~named[:, None]
        parts.append(contrast_loss(unit, same, different, temperature=config.temperature))
    return parts


def pair_weights(config: LossConfig) -> list[float]:
    """Return the weights of what `measure_pairs` returns."""
    return [weight for weight in (config.triplet, config.circle, config.views) if weight]


def thin(count: int, device: torch.device) -> Int64[Tensor, " k"]:
    """Return which of `count` cells to compare: all, or `MOST_CELLS` of them evenly spread."""
    kept = min(count, MOST_CELLS)
    return torch.arange(kept, device=device) * count // max(kept, 1)


def same_identity(identities: Int64[Tensor, " c"]) -> tuple[Pairs, Pairs]:
    """Return which pairs of cells show the same person, and which two different ones."""
    same = identities[:, None] == identities[None]
    return same & ~torch.eye(len(identities), dtype=torch.bool, device=same.device), ~same


def same_in_other_view(
    people: Int64[Tensor, " c"],
    picture: Int64[Tensor, " c"],
    original: Int64[Tensor, " c"] | None = None,
) -> tuple[Pairs, Pairs]:
    """Return which pairs of cells show one person in two views, and which two people.

    Args:
        people: Number of the person over all views, -1 where it isn't known who of two it is.
        picture: Picture of each cell.
        original: The picture that `picture` is a view of; given, only people of one original are
            two people.
    """
    known = (people >= 0)[:, None] & (people >= 0)[None]
    same = people[:, None] == people[None]
    apart = picture[:, None] != picture[None]
    different = known & ~same
    if original is not None:
        different &= original[:, None] == original[None]
    return known & same & apart, different


def triplet_loss(unit: Unit, same: Pairs, different: Pairs, *, margin: float) -> Part:
    """Return the triplet loss of the farthest partner and the closest other (arXiv 1703.07737)."""
    if not len(unit):
        return unit.sum(), unit.new_zeros(())
    counted = same.any(1) & different.any(1)
    with torch.no_grad():
        similarity = unit @ unit.T
        partner = similarity.masked_fill(~same, torch.inf)[counted].argmin(1)
        other = similarity.masked_fill(~different, -torch.inf)[counted].argmax(1)
    anchors = unit[counted]
    near = torch.linalg.vector_norm(anchors - unit[partner], dim=1)
    far = torch.linalg.vector_norm(anchors - unit[other], dim=1)
    return F.relu(margin + near - far).sum(), counted.sum().float()


def circle_loss(unit: Unit, same: Pairs, different: Pairs, *, margin: float, scale: float) -> Part:
    """Return the circle loss over all partners and all others (arXiv 2002.10857, equation 6)."""
    counted = same.any(1) & different.any(1)
    similarity = (unit @ unit.T)[counted]
    # The weights of the pairs are constants: they only say how much each still has to learn.
    towards = F.relu(1 + margin - similarity.detach())
    away = F.relu(similarity.detach() + margin)
    pull = (-scale * towards * (similarity - (1 - margin))).masked_fill(~same[counted], -torch.inf)
    push = (scale * away * (similarity - margin)).masked_fill(~different[counted], -torch.inf)
    return F.softplus(pull.logsumexp(1) + push.logsumexp(1)).sum(), counted.sum().float()


def contrast_loss(unit: Unit, same: Pairs, different: Pairs, *, temperature: float) -> Part:
    """Return the cross-entropy of telling each partner from all others (InfoNCE, arXiv 1807.03748).

    A cell with several partners takes their mean.
    """
    counted = same.any(1) & different.any(1)
    logits = (unit @ unit.T)[counted] / temperature
    others = logits.masked_fill(~different[counted], -torch.inf).logsumexp(1, keepdim=True)
    partners = same[counted].float()
    losses = (F.softplus(others - logits) * partners).sum(1) / partners.sum(1)
    return losses.sum(), counted.sum().float()
