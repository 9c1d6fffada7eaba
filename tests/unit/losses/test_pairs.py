import math
from typing import Any

import pytest
import torch
from torch import Tensor

from jde.losses import pairs
from jde.losses.assignment import Cells
from jde.losses.config import LossConfig
from jde.losses.parts import IdentityCells


def at(*degrees: float) -> Tensor:
    """Return unit vectors in the plane."""
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def of(*identities: int) -> tuple[Tensor, Tensor]:
    return pairs.same_identity(torch.tensor(identities, dtype=torch.int64))


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def chord(degrees: float) -> float:
    return 2 * math.sin(math.radians(degrees / 2))


def cosine(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def test_triplet_takes_the_farthest_partner_and_the_closest_other() -> None:
    # Two people: one at 0, 10 and 40 degrees, the other at 60 and 100.
    total, count = pairs.triplet_loss(at(0, 10, 40, 60, 100), *of(0, 0, 0, 1, 1), margin=0.5)
    farthest, closest = (40, 30, 40, 40, 40), (60, 50, 20, 20, 60)
    terms = [0.5 + chord(f) - chord(c) for f, c in zip(farthest, closest, strict=True)]
    assert min(terms) > 0
    assert total.item() == pytest.approx(sum(terms), rel=1e-5)
    assert count.item() == 5


def test_triplet_of_well_separated_people_is_nothing() -> None:
    total, count = pairs.triplet_loss(at(0, 5, 180, 185), *of(0, 0, 1, 1), margin=0.3)
    assert (total.item(), count.item()) == (0, 4)


def test_circle_follows_equation_6() -> None:
    margin, scale = 0.25, 4.0
    total, count = pairs.circle_loss(at(0, 60, 90), *of(0, 0, 1), margin=margin, scale=scale)

    def pull(value: float) -> float:
        return -scale * max(1 + margin - value, 0) * (value - (1 - margin))

    def push(value: float) -> float:
        return scale * max(value + margin, 0) * (value - margin)

    first = softplus(pull(cosine(60)) + push(cosine(90)))
    second = softplus(pull(cosine(60)) + push(cosine(30)))
    assert total.item() == pytest.approx(first + second, rel=1e-5)
    assert count.item() == 2  # The third has no partner.


def first_alone(*identities: int) -> tuple[Tensor, Tensor]:
    """Return pairs of which only those of the first cell count."""
    same, different = of(*identities)
    same[1:], different[1:] = False, False
    return same, different


def slopes(unit: Tensor, part: tuple[Tensor, Tensor]) -> Tensor:
    assert part[1].item() == 1
    (found,) = torch.autograd.grad(part[0], unit)
    return found


def test_gradient_of_the_triplet_pulls_along_the_chords() -> None:
    unit = at(0, 60, 90).requires_grad_()
    found = slopes(unit, pairs.triplet_loss(unit, *first_alone(0, 0, 1), margin=0.9))
    cell, partner, other = unit.detach()
    pull, push = (cell - partner) / chord(60), (cell - other) / chord(90)
    torch.testing.assert_close(found, torch.stack([pull - push, -pull, push]))


def test_triplet_of_equal_embeddings_has_a_finite_gradient() -> None:
    unit = at(0, 0, 0).requires_grad_()
    total, _ = pairs.triplet_loss(unit, *of(0, 0, 1), margin=0.3)
    (found,) = torch.autograd.grad(total, unit)
    assert found.tolist() == [[0, 0]] * 3


def test_gradient_of_the_circle_takes_the_weights_of_pairs_for_constants() -> None:
    margin, scale = 0.25, 4.0
    unit = at(0, 60, 90).requires_grad_()
    part = pairs.circle_loss(unit, *first_alone(0, 0, 1), margin=margin, scale=scale)
    towards, away = scale * (1 + margin - 0.5), scale * margin
    steep = torch.sigmoid(torch.tensor(-towards * (0.5 - (1 - margin)) + away * -margin))
    cell, partner, other = unit.detach()
    expected = [away * other - towards * partner, -towards * cell, away * cell]
    torch.testing.assert_close(slopes(unit, part), steep * torch.stack(expected))


def test_contrast_tells_the_partner_from_all_others() -> None:
    unit = at(0, 60, 90, 180)
    total, count = pairs.contrast_loss(unit, *first_alone(0, 0, 1, 2), temperature=0.5)
    partner, others = math.exp(cosine(60) / 0.5), math.exp(0) + math.exp(-1 / 0.5)
    assert total.item() == pytest.approx(-math.log(partner / (partner + others)), rel=1e-5)
    assert count.item() == 1


def test_contrast_takes_the_mean_over_several_partners() -> None:
    unit = at(0, 60, 45, 90)
    whole, _ = pairs.contrast_loss(unit, *first_alone(0, 0, 0, 1), temperature=0.5)
    each = [
        pairs.contrast_loss(unit[[0, one, 3]], *first_alone(0, 0, 1), temperature=0.5)[0].item()
        for one in (1, 2)
    ]
    assert whole.item() == pytest.approx(sum(each) / 2, rel=1e-5)


def test_gradient_of_the_contrast() -> None:
    unit = at(0, 60, 90).requires_grad_()
    part = pairs.contrast_loss(unit, *first_alone(0, 0, 1), temperature=0.5)
    steep = torch.sigmoid(torch.tensor((0 - 0.5) / 0.5)) / 0.5
    cell, partner, other = unit.detach()
    expected = steep * torch.stack([other - partner, -cell, cell])
    torch.testing.assert_close(slopes(unit, part), expected)


@pytest.mark.parametrize("identities", [(), (0,), (0, 0), (0, 1, 2)])
def test_without_a_partner_or_another_there_is_nothing(identities: tuple[int, ...]) -> None:
    unit = torch.rand(len(identities), 2).requires_grad_()
    config = LossConfig(triplet=1.0, circle=1.0, views=1.0, views_of="all")
    row = torch.arange(len(identities))
    where = IdentityCells(Cells(row, row, row), torch.tensor(identities, dtype=torch.int64), row)
    parts = pairs.measure_pairs(unit, where, 2, config)
    assert [[value.item() for value in part] for part in parts] == [[0, 0]] * 3
    (slope,) = torch.autograd.grad(torch.stack([part[0] for part in parts]).sum(), unit)
    assert not slope.any()


def cells(picture: list[int], identities: list[int], people: list[int]) -> IdentityCells:
    row = torch.arange(len(picture))
    return IdentityCells(
        Cells(torch.tensor(picture), row, row), torch.tensor(identities), torch.tensor(people)
    )


def views_count(where: IdentityCells, **changes: Any) -> float:
    config = LossConfig(views=1.0, **changes)
    embeddings = torch.eye(len(where.people))
    ((_, count),) = pairs.measure_pairs(embeddings, where, 2, config)
    return count.item()


def test_views_pair_people_of_unknown_identity_unless_all_are_asked_for() -> None:
    # Pictures 0 and 1 are views of one: person 0 is known, 1 is not and 2 left the second view.
    where = cells([0, 0, 0, 1, 1], [7, -1, -1, 7, -1], [0, 1, 2, 0, 1])
    assert views_count(where) == 2
    assert views_count(where, views_of="all") == 4


def test_cells_of_one_person_in_one_view_are_no_views() -> None:
    same, different = pairs.same_in_other_view(torch.tensor([0, 0, 1]), torch.tensor([0, 0, 0]))
    assert not same.any()
    assert different.tolist() == [[False, False, True]] * 2 + [[True, True, False]]


def test_a_cell_that_two_people_share_is_neither_partner_nor_other() -> None:
    same, different = pairs.same_in_other_view(torch.tensor([0, -1, 0]), torch.tensor([0, 0, 1]))
    assert not different.any()
    assert same.nonzero().tolist() == [[0, 2], [2, 0]]


def test_people_can_be_told_from_those_of_their_own_picture_alone() -> None:
    # Two pictures of two views with one person each: across pictures they may be the same one.
    where = cells([0, 1, 2, 3], [-1] * 4, [0, 0, 1, 1])
    assert views_count(where) == 4
    assert views_count(where, views_against="picture") == 0


def test_too_many_cells_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST_CELLS", 4)
    assert pairs.thin(10, torch.device("cpu")).tolist() == [0, 2, 5, 7]
    assert pairs.thin(3, torch.device("cpu")).tolist() == [0, 1, 2]
    assert pairs.thin(0, torch.device("cpu")).tolist() == []
