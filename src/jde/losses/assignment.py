"""Which anchors have to find which person (specification, section 9).

Nothing here walks over pictures, people or anchors, and nothing is computed for the whole grid:
each pair of a person and an anchor shape that can overlap enough at all yields the few cells around
the person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

POSITIVE_OVERLAP = 0.5
"""An anchor that overlaps a person by more has to find that person."""

IGNORED_OVERLAP = 0.4
"""An anchor that overlaps by more than this and less than `POSITIVE_OVERLAP` is left out."""

IGNORED = -1
TINY = 1e-16
SLACK = 1e-3
"""Added to the cells looked at, so that rounding loses none; the overlap itself decides."""


class Grid(NamedTuple):
    """One level of the network's output: its anchors (width, height in pixels) and extent."""

    anchors: Float32[Tensor, "a 2"]
    stride: int
    height: int
    width: int


class People(NamedTuple):
    """The people of all pictures of a batch, as `jde.data.batch.Batch` holds them."""

    boxes: Float32[Tensor, "m 4"]
    identities: Int64[Tensor, " m"]
    picture: Int64[Tensor, " m"]
    classes: Int64[Tensor, " m"]


class Places(NamedTuple):
    """Picture, anchor, row and column of some anchors of a level."""

    picture: Int64[Tensor, " p"]
    anchor: Int64[Tensor, " p"]
    row: Int64[Tensor, " p"]
    column: Int64[Tensor, " p"]


class Cells(NamedTuple):
    """Picture, row and column of some cells of a level."""

    picture: Int64[Tensor, " c"]
    row: Int64[Tensor, " c"]
    column: Int64[Tensor, " c"]


@dataclass(frozen=True, slots=True)
class LevelTargets:
    """What one level of the network should have said.

    Attributes:
        objectness: Where an anchor has to find somebody, 1 and the number of the class (1 for a
            person); 0 where it must not, -1 where either is fine.
        places: The anchors that have to, in the order of the picture, anchor, row and column.
        boxes: The box each of `places` should give, as offsets from its anchor.
        cells: The cells with at least one of `places`: their embeddings learn.
        identities: Identity of the person in each of `cells`, -1 where unknown.
        people: Row of the person in each of `cells`, -1 where two people share it.
    """

    objectness: Int64[Tensor, "n a h w"]
    places: Places
    boxes: Float32[Tensor, "p 4"]
    cells: Cells
    identities: Int64[Tensor, " c"]
    people: Int64[Tensor, " c"]


@dataclass(frozen=True, slots=True)
class _Matches:
    """Anchors by their position in the flattened level; `people` belong to `positive`."""

    positive: Int64[Tensor, " p"]
    people: Int64[Tensor, " p"]
    ignored: Int64[Tensor, " i"]


@torch.no_grad()
def assign(
    people: People, grids: Sequence[Grid], pictures: int, *, assign_best: bool = False
) -> list[LevelTargets]:
    """Return the targets of every level for a batch of `pictures` pictures.

    Args:
        people: Everybody in the batch.
        grids: The levels, in the order of the network's outputs.
        pictures: Number of pictures in the batch.
        assign_best: Give a person whom no anchor overlaps enough the best-shaped anchor at the
            nearest cell; the published programs leave such people out.
    """
    matches = [_match(people, grid, pictures) for grid in grids]
    if assign_best:
        matches = _with_orphans(people, grids, matches)
    return [
        _targets(people, grid, pictures, match) for grid, match in zip(grids, matches, strict=True)
    ]


def _on_grid(boxes: Float32[Tensor, "m 4"], grid: Grid) -> Float32[Tensor, "m 4"]:
    """Return centre boxes in cells, their centres held inside the grid."""
    scaled = boxes / grid.stride
    limit = scaled.new_tensor([grid.width - 1, grid.height - 1])
    return torch.cat([scaled[:, :2].clamp(min=0).minimum(limit), scaled[:, 2:]], dim=1)


def _match(people: People, grid: Grid, pictures: int) -> _Matches:
    boxes, shapes = _on_grid(people.boxes, grid), grid.anchors / grid.stride
    person, anchor, column, row = _candidates(boxes, shapes, grid)
    overlap = _overlap(boxes[person], column, row, shapes[anchor])
    count = pictures * len(shapes) * grid.height * grid.width
    cell = ((people.picture[person] * len(shapes) + anchor) * grid.height + row) * grid.width
    position = cell + column
    best = overlap.new_zeros(count).scatter_reduce_(0, position, overlap, "amax")
    # The first of several people whom an anchor overlaps equally takes it.
    wins = (overlap == best[position]) & (overlap > POSITIVE_OVERLAP)
    owner = person.new_full((count,), len(boxes))
    owner.scatter_reduce_(0, position[wins], person[wins], "amin")
    positive = torch.unique(position[wins])
    ignored = ((best > IGNORED_OVERLAP) & (best < POSITIVE_OVERLAP)).nonzero()[:, 0]
    return _Matches(positive, owner[positive], ignored)


def _candidates(
    boxes: Float32[Tensor, "m 4"], shapes: Float32[Tensor, "a 2"], grid: Grid
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return person, anchor, column and row of all that may overlap by `IGNORED_OVERLAP`.

    An overlap t needs a shared area of t times the larger of both areas, hence on each axis a
    shared length of that area over the smaller side of the other axis: this bounds the distance of
    the centres.
    """
    sizes = boxes[:, None, 2:]
    smaller = torch.minimum(sizes, shapes[None])
    area = torch.maximum(sizes.prod(-1), shapes.prod(-1)[None])
    needed = IGNORED_OVERLAP * area[..., None] / smaller.flip(-1).clamp(min=TINY)
    possible = (needed <= smaller + SLACK).all(-1) & (smaller > 0).all(-1)
    person, anchor = possible.nonzero().unbind(1)
    reach = ((sizes + shapes[None]) / 2 - needed)[person, anchor] + SLACK
    limit = torch.tensor([grid.width - 1, grid.height - 1], device=boxes.device)
    centre = boxes[person, :2]
    first = (centre - reach).ceil().long().clamp(min=0)
    last = torch.minimum((centre + reach).floor().long(), limit)
    extent = (last - first + 1).clamp(min=0)
    counts = extent.prod(-1)
    pair = torch.repeat_interleave(torch.arange(len(counts), device=boxes.device), counts)
    offset = torch.arange(len(pair), device=boxes.device) - (counts.cumsum(0) - counts)[pair]
    column = first[pair, 0] + offset % extent[pair, 0]
    row = first[pair, 1] + offset // extent[pair, 0]
    return person[pair], anchor[pair], column, row


def _overlap(
    boxes: Float32[Tensor, "k 4"],
    column: Int64[Tensor, " k"],
    row: Int64[Tensor, " k"],
    shapes: Float32[Tensor, "k 2"],
) -> Float32[Tensor, " k"]:
    """Return the overlap of each box with the anchor that stands on its grid point."""
    points = torch.stack([column, row], dim=1).to(boxes.dtype)
    low = torch.maximum(boxes[:, :2] - boxes[:, 2:] / 2, points - shapes / 2)
    high = torch.minimum(boxes[:, :2] + boxes[:, 2:] / 2, points + shapes / 2)
    shared = (high - low).clamp(min=0).prod(-1)
    return shared / (boxes[:, 2:].prod(-1) + shapes.prod(-1) - shared + TINY)


def _with_orphans(
    people: People, grids: Sequence[Grid], matches: Sequence[_Matches]
) -> list[_Matches]:
    """Return the matches with one more positive for each person who has none at any level."""
    found = torch.zeros(len(people.boxes), dtype=torch.bool, device=people.boxes.device)
    for match in matches:
        found[match.people] = True
    shapes = torch.cat([grid.anchors for grid in grids])
    level_of = torch.cat([torch.full((len(g.anchors),), i) for i, g in enumerate(grids)])
    first_of = torch.cat([torch.arange(len(grid.anchors)) for grid in grids])
    sizes = people.boxes[:, None, 2:]
    shared = torch.minimum(sizes, shapes[None]).prod(-1)
    fit = shared / (sizes.prod(-1) + shapes.prod(-1)[None] - shared + TINY)
    choice = fit.argmax(1) if len(fit) else found.long()
    level, anchor = level_of.to(choice)[choice], first_of.to(choice)[choice]
    orphan = ~found & (people.boxes[:, 2:] > 0).all(-1)
    return [
        _adopt(people, grid, match, anchor, orphan & (level == number))
        for number, (grid, match) in enumerate(zip(grids, matches, strict=True))
    ]


def _adopt(
    people: People,
    grid: Grid,
    match: _Matches,
    anchor: Int64[Tensor, " m"],
    orphan: Bool[Tensor, " m"],
) -> _Matches:
    person = orphan.nonzero()[:, 0]
    centre = _on_grid(people.boxes, grid)[person, :2].round().long()
    cell = people.picture[person] * len(grid.anchors) + anchor[person]
    position = (cell * grid.height + centre[:, 1]) * grid.width + centre[:, 0]
    free = ~torch.isin(position, match.positive)
    position, inverse = torch.unique(position[free], return_inverse=True)
    owner = torch.full_like(position, len(orphan))
    owner.scatter_reduce_(0, inverse, person[free], "amin")
    positive, order = torch.cat([match.positive, position]).sort()
    ignored = match.ignored[~torch.isin(match.ignored, position)]
    return _Matches(positive, torch.cat([match.people, owner])[order], ignored)


def _targets(people: People, grid: Grid, pictures: int, match: _Matches) -> LevelTargets:
    shapes = grid.anchors / grid.stride
    extent = (pictures, len(shapes), grid.height, grid.width)
    objectness = torch.zeros(extent, dtype=torch.int64, device=people.boxes.device)
    objectness.view(-1)[match.ignored] = IGNORED
    objectness.view(-1)[match.positive] = 1 + people.classes[match.people]
    places = Places(*torch.unravel_index(match.positive, extent))
    boxes = _on_grid(people.boxes, grid)[match.people]
    points = torch.stack([places.column, places.row], dim=1)
    shape = shapes[places.anchor]
    deltas = torch.cat([(boxes[:, :2] - points) / shape, (boxes[:, 2:] / shape).log()], dim=1)
    cell = (places.picture * grid.height + places.row) * grid.width + places.column
    cell, inverse = torch.unique(cell, return_inverse=True)
    # Two people in one cell share its embedding: the larger identity wins.
    identities = torch.full_like(cell, IGNORED)
    identities.scatter_reduce_(0, inverse, people.identities[match.people], "amax")
    cells = Cells(*torch.unravel_index(cell, (pictures, grid.height, grid.width)))
    first = torch.full_like(cell, len(people.boxes))
    first.scatter_reduce_(0, inverse, match.people, "amin")
    last = torch.full_like(cell, IGNORED).scatter_reduce_(0, inverse, match.people, "amax")
    owner = torch.where(first == last, first, IGNORED)
    return LevelTargets(objectness, places, deltas, cells, identities, owner)
