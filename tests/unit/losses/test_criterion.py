import math
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor

from jde.data.batch import Batch
from jde.losses.assignment import People, assign
from jde.losses.config import LossConfig
from jde.losses.criterion import JDECriterion, embedding_scale
from jde.model.joint_head import LevelOutput
from jde.model.presets import ANCHORS_576X320

SIZE = (288, 160)
DIM = 8


def outputs(count: int = 2, *, dtype: torch.dtype = torch.float32) -> list[LevelOutput]:
    chance = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=chance).to(dtype).requires_grad_()

    return [
        LevelOutput(
            normal(count, 4, 4, SIZE[1] // s, SIZE[0] // s),
            normal(count, 4, 2, SIZE[1] // s, SIZE[0] // s),
            normal(count, DIM, SIZE[1] // s, SIZE[0] // s),
        )
        for s in (32, 16, 8)
    ]


def batch(*identities: int) -> Batch:
    count = len(identities)
    return Batch(
        torch.zeros((2, 3, SIZE[1], SIZE[0]), dtype=torch.uint8),
        torch.tensor([[60.0 + 50 * i, 80, 20, 60] for i in range(count)]).reshape(-1, 4),
        torch.tensor(identities, dtype=torch.int64),
        torch.arange(count) % 2,
        ("a", "b"),
    )


def is_finite(criterion: JDECriterion, found: list[LevelOutput]) -> bool:
    tensors = [leaf.grad for level in found for leaf in level]
    tensors += [parameter.grad for parameter in criterion.parameters()]
    return all(bool(one.isfinite().all()) for one in tensors if one is not None)


@pytest.mark.parametrize(
    "config",
    [
        LossConfig(),
        LossConfig.zhongdao(),
        LossConfig.paddle(),
        LossConfig.mindspore(),
        LossConfig(objectness="focal", box="giou", label_smoothing=0.1, assign_best=True),
    ],
    ids=["default", "zhongdao", "paddle", "mindspore", "options"],
)
@pytest.mark.parametrize("identities", [(), (-1, -1, -1), (-1, 2)])
def test_batches_without_people_or_identities_give_numbers(
    config: LossConfig, identities: tuple[int, ...]
) -> None:
    criterion, found = JDECriterion(ANCHORS_576X320, DIM, 5, config), outputs()
    losses = criterion(found, batch(*identities))
    losses.total.backward()
    assert losses.total.isfinite()
    assert is_finite(criterion, found)
    if max(identities, default=-1) < 0:
        assert losses.identity.tolist() == [0, 0, 0]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_identities_train(count: int) -> None:
    criterion, found = JDECriterion(ANCHORS_576X320, DIM, count), outputs()
    criterion(found, batch(*range(count))).total.backward()
    assert is_finite(criterion, found)
    slopes = [level.embeddings.grad for level in found]
    moved = any(slope is not None and bool(slope.any()) for slope in slopes)
    # With one identity there is nothing to tell apart.
    assert moved == (count == 2)


def test_two_identities_become_separable() -> None:
    torch.manual_seed(0)
    criterion, found = JDECriterion(ANCHORS_576X320, DIM, 2), outputs()
    learned = [level.embeddings for level in found] + list(criterion.classifier.parameters())
    optimiser = torch.optim.SGD(learned, lr=0.5)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        parts = criterion(found, batch(0, 1))
        parts.total.backward()
        optimiser.step()
        losses.append(parts.identity.sum().item())
    assert losses[-1] < 0.2 * losses[0]


def test_scale_follows_the_formula_from_three_identities_on() -> None:
    assert [embedding_scale(count) for count in (0, 1, 2)] == [1, 1, 1]
    assert embedding_scale(3) == pytest.approx(math.sqrt(2) * math.log(2))


def test_what_is_not_measured_does_not_move_its_weight() -> None:
    criterion = JDECriterion(ANCHORS_576X320, DIM, 5)
    criterion(outputs(), batch(-1, -1)).total.backward()
    slope = criterion.identity_weight.grad
    assert slope is not None
    assert slope.tolist() == [0, 0, 0]
    published = JDECriterion(ANCHORS_576X320, DIM, 5, LossConfig.zhongdao())
    published(outputs(), batch(-1, -1)).total.backward()
    slope = published.identity_weight.grad
    assert slope is not None
    assert slope.tolist() == [0.5, 0.5, 0.5]


def test_losses_of_half_precision_outputs_are_computed_in_single() -> None:
    criterion = JDECriterion(ANCHORS_576X320, DIM, 5)
    with torch.autocast("cpu", torch.bfloat16):
        half = criterion(outputs(dtype=torch.bfloat16), batch(1, 3))
    rounded = [
        LevelOutput(*(leaf.float() for leaf in level)) for level in outputs(dtype=torch.bfloat16)
    ]
    single = criterion(rounded, batch(1, 3))
    assert half.total.dtype == torch.float32
    assert half.total.item() == single.total.item()


def test_losses_over_all_processes_are_those_of_the_whole_batch() -> None:
    """Two processes see one picture each; their mean gradient is that of both pictures at once."""
    criterion, whole = JDECriterion(ANCHORS_576X320, DIM, 5), batch(1, 3, 4)
    together = outputs()
    criterion(together, whole).total.backward()
    counts = []

    def note(values: Tensor) -> Tensor:
        counts.append(values)
        return values

    split = outputs()
    parts = []
    for row in (0, 1):
        mine = whole.picture == row
        one = Batch(
            whole.images[row : row + 1],
            whole.boxes[mine],
            whole.identities[mine],
            whole.picture[mine] * 0,
            whole.names[row : row + 1],
        )
        parts.append(
            (one, [LevelOutput(*(leaf[row : row + 1] for leaf in level)) for level in split])
        )
    for one, found in parts:
        criterion(found, one, note)
    mean = torch.stack(counts).mean(0)
    totals = [criterion(found, one, lambda _: mean).total for one, found in parts]
    torch.autograd.backward(torch.stack(totals).mean())
    for first, second in zip(together, split, strict=True):
        for leaf, other in zip(first, second, strict=True):
            assert leaf.grad is not None
            assert other.grad is not None
            torch.testing.assert_close(other.grad, leaf.grad, rtol=1e-5, atol=1e-7)


def pair_parts(found: list[LevelOutput], whole: Batch, **weights: float) -> Tensor:
    config = LossConfig(**weights)  # type: ignore[arg-type]
    torch.manual_seed(0)
    losses: Tensor = JDECriterion(ANCHORS_576X320, DIM, 5, config)(found, whole).identity
    return losses


def test_identity_losses_add_up_by_their_weights() -> None:
    found, whole = outputs(), batch(1, 1, 2, 3)
    softmax, triplet, circle = (
        pair_parts(found, whole, **weights)
        for weights in ({}, {"softmax": 0.0, "triplet": 1.0}, {"softmax": 0.0, "circle": 1.0})
    )
    assert (triplet > 0).any()
    assert (circle > 0).any()
    joint = pair_parts(found, whole, softmax=0.5, triplet=2.0, circle=3.0)
    torch.testing.assert_close(joint, 0.5 * softmax + 2 * triplet + 3 * circle)


def two_views(*identities: int) -> Batch:
    """Return people who stand in two views of one picture, numbered the other way round."""
    one, count = batch(*identities), len(identities)
    order = torch.arange(count)
    return Batch(
        one.images,
        torch.cat([one.boxes, one.boxes.flip(0)]),
        torch.cat([one.identities, one.identities.flip(0)]),
        torch.arange(2).repeat_interleave(count),
        one.names,
        views=2,
        people=torch.cat([order, order.flip(0)]),
    )


def test_people_without_identities_become_separable_by_their_views() -> None:
    config = LossConfig(softmax=0.0, views=1.0)
    criterion, found = JDECriterion(ANCHORS_576X320, DIM, 0, config), outputs()
    optimiser = torch.optim.SGD([level.embeddings for level in found], lr=0.5)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        parts = criterion(found, two_views(-1, -1, -1))
        parts.total.backward()
        optimiser.step()
        losses.append(parts.identity.sum().item())
    assert losses[-1] < 0.2 * losses[0]
    assert not pair_parts(found, batch(-1, -1, -1), softmax=0.0, views=1.0).any()


def test_views_are_compared_whatever_bounds_the_cells_of_the_classifier() -> None:
    found, whole = outputs(), two_views(-1, -1, -1)
    free = pair_parts(found, whole, softmax=0.0, views=1.0)
    bounded = pair_parts(found, whole, softmax=0.0, views=1.0, max_cells=400)
    assert free.sum() > 0
    torch.testing.assert_close(bounded, free)


def test_pairs_without_anything_to_compare_do_not_move_the_weight() -> None:
    config = LossConfig(softmax=0.0, triplet=1.0, views=1.0)
    criterion = JDECriterion(ANCHORS_576X320, DIM, 5, config)
    criterion(outputs(), batch(1)).total.backward()
    assert criterion.identity_weight.grad is not None
    assert criterion.identity_weight.grad.tolist() == [0, 0, 0]


def test_pairs_over_all_processes_are_weighed_by_their_number() -> None:
    """Pairs stay within a process; their mean is over the cells of all processes."""
    config = LossConfig(softmax=0.0, views=1.0, views_of="all")
    criterion = JDECriterion(ANCHORS_576X320, DIM, 5, config)
    shares = [(outputs(), two_views(1, 2)), (outputs(), two_views(-1, -1, -1, -1))]
    alone = [criterion(found, one).identity for found, one in shares]
    counts: list[Tensor] = []

    def note(values: Tensor) -> Tensor:
        counts.append(values)
        return values

    for found, one in shares:
        criterion(found, one, note)
    mean = torch.stack(counts).mean(0)
    together = [criterion(found, one, lambda _: mean).identity for found, one in shares]
    first, second = (one[3] for one in counts)
    expected = (first * alone[0] + second * alone[1]) / (first + second).clamp(min=1)
    torch.testing.assert_close(torch.stack(together).mean(0), expected)


def test_a_perfect_box_has_no_overlap_loss() -> None:
    criterion, found = JDECriterion(ANCHORS_576X320, DIM, 5, LossConfig(box="giou")), outputs()
    whole = batch(1, 3)
    before = criterion(found, whole).box.sum().item()
    optimiser = torch.optim.Adam([level.box_deltas for level in found], lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        criterion(found, whole).total.backward()
        optimiser.step()
    assert criterion(found, whole).box.sum().item() < 0.1 * before


def test_focal_loss_looks_away_from_easy_background() -> None:
    found = [
        LevelOutput(level.box_deltas, torch.zeros_like(level.objectness), level.embeddings)
        for level in outputs()
    ]
    for level in found:
        level.objectness[:, :, 0] = 6
    plain = JDECriterion(ANCHORS_576X320, DIM, 5)(found, batch()).objectness
    focal = JDECriterion(ANCHORS_576X320, DIM, 5, LossConfig(objectness="focal"))
    # Sums over anchors against a mean: compare per anchor.
    anchors = torch.tensor([level.objectness[:, :, 0].numel() for level in found])
    assert (focal(found, batch()).objectness / anchors < 1e-4 * plain).all()


@pytest.mark.parametrize("kind", ["softmax", "focal"])
def test_objectness_of_several_classes_is_the_loss_of_their_softmax(kind: Any) -> None:
    chance = torch.Generator().manual_seed(0)
    found = [
        LevelOutput(
            level.box_deltas,
            torch.randn(
                *level.objectness.shape[:2], 4, *level.objectness.shape[3:], generator=chance
            ),
            level.embeddings,
        )
        for level in outputs()
    ]
    people = replace(batch(1, 2, 3), classes=torch.tensor([0, 2, 1]))
    config = LossConfig(objectness=kind)
    criterion = JDECriterion(ANCHORS_576X320, DIM, 5, config)
    losses = criterion(found, people)
    targets = assign(
        People(people.boxes, people.identities, people.picture, people.classes),
        criterion.grids(found),
        2,
    )
    assert {1, 2, 3} <= {kind for level in targets for kind in level.objectness.flatten().tolist()}
    for level, target, loss in zip(found, targets, losses.objectness, strict=True):
        counted = target.objectness >= 0
        logits, wanted = level.objectness.movedim(2, -1)[counted], target.objectness[counted]
        if kind == "softmax":
            torch.testing.assert_close(loss, F.cross_entropy(logits, wanted))
            continue
        share = logits.softmax(-1).gather(-1, wanted[:, None])[:, 0]
        weight = torch.where(wanted > 0, 0.25, 0.75)
        whole = (weight * (1 - share) ** 2 * -share.log()).sum()
        torch.testing.assert_close(loss, whole / max(int((wanted > 0).sum()), 1), rtol=1e-4, atol=0)


def test_a_class_is_learned_against_background_and_the_other_classes() -> None:
    found = [
        LevelOutput(
            level.box_deltas,
            torch.zeros(
                *level.objectness.shape[:2], 3, *level.objectness.shape[3:]
            ).requires_grad_(),
            level.embeddings,
        )
        for level in outputs()
    ]
    people = replace(batch(-1, -1), classes=torch.tensor([1, 1]))
    JDECriterion(ANCHORS_576X320, DIM, 5)(found, people).total.backward()
    learned = 0
    for level in found:
        slope = level.objectness.grad
        assert slope is not None
        background, person, car = slope.unbind(2)
        there = car < 0
        learned += int(there.sum())
        assert (person[there] > 0).all()
        assert (background[there] > 0).all()
        assert (background[~there] <= 0).all()
    assert learned > 0


@pytest.mark.parametrize(
    "value",
    [{"label_smoothing": 1.0}, {"embedding_scale": -1.0}, {"triplet": -1.0}, {"temperature": 0.0}],
)
def test_impossible_settings_are_refused(value: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(value))):
        LossConfig(**value)  # type: ignore[arg-type]
