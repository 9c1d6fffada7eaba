"""The losses and their gradients against an independent reading of the specification in float64.

The reading below uses loops and hand-derived gradients and shares no code with `jde.losses`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from jde.data.batch import Batch
from jde.losses.assignment import Grid, People, assign
from jde.losses.config import LossConfig
from jde.losses.criterion import JDECriterion, LossParts, embedding_scale
from jde.model.joint_head import LevelOutput
from jde.model.presets import ANCHORS_576X320, ANCHORS_1088X608

pytestmark = pytest.mark.parity

SIZE = (256, 160)
STRIDES = (32, 16, 8)
IDENTITIES, DIM, PICTURES = 11, 6, 3
STARTS = (-4.85, -4.15, -2.3)

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Reading:
    """What section 10 says about one batch: losses, the total and the gradients of the total."""

    parts: Array
    total: float
    gradients: dict[str, Array] = field(default_factory=dict)


def overlaps(people: Array, anchor: Array, grid: tuple[int, int]) -> Array:
    """Return the overlap of one anchor at each row and column with each person, in cells."""
    columns, rows = np.meshgrid(np.arange(grid[1]), np.arange(grid[0]))
    shared = np.ones((*grid, len(people)))
    for axis, points in enumerate((columns, rows)):
        near, far = (
            (people[:, axis] + sign * people[:, axis + 2] / 2)[None, None] for sign in (-1, 1)
        )
        low = np.maximum(points[..., None] - anchor[axis] / 2, near)
        high = np.minimum(points[..., None] + anchor[axis] / 2, far)
        shared *= np.maximum(high - low, 0)
    union = people[:, 2] * people[:, 3] + anchor[0] * anchor[1] - shared
    result: Array = shared / (union + 1e-16)
    return result


def read_targets(
    people: Array, ids: Array, anchors: Array, grid: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Return tconf, tid and tbox of one picture and level; people and anchors are in cells."""
    conf = np.zeros((len(anchors), *grid), np.int64)
    tid = np.full(conf.shape, -1)
    box = np.zeros((*conf.shape, 4))
    people = people.copy()
    for axis in (0, 1):
        people[:, axis] = people[:, axis].clip(0, grid[1 - axis] - 1)
    for a, anchor in enumerate(anchors if len(people) else []):
        every = overlaps(people, anchor, grid)
        conf[a] = np.where((every.max(-1) > 0.4) & (every.max(-1) < 0.5), -1, 0)
        for j, i in np.argwhere(every.max(-1) > 0.5):
            person = int(every[j, i].argmax())
            conf[a, j, i], tid[a, j, i] = 1, ids[person]
            box[a, j, i, :2] = (people[person, :2] - [i, j]) / anchor
            box[a, j, i, 2:] = np.log(people[person, 2:] / anchor)
    return conf, tid, box


def softmax(logits: Array, axis: int) -> Array:
    powers = np.exp(logits - logits.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def read_box(deltas: Array, conf: Array, wanted: Array) -> tuple[float, Array]:
    positive = conf == 1
    count = 4 * positive.sum()
    gradient = np.zeros_like(deltas)
    if not count:
        return 0.0, gradient
    error = np.moveaxis(deltas, 2, -1)[positive] - wanted[positive]
    size = np.abs(error)
    loss = np.where(size < 1, 0.5 * error**2, size - 0.5).sum() / count
    np.moveaxis(gradient, 2, -1)[positive] = error.clip(-1, 1) / count
    return float(loss), gradient


def read_objectness(logits: Array, conf: Array, profile: str) -> tuple[float, Array]:
    counted = conf >= 0
    count = conf.size if profile == "paddle" else counted.sum()
    chances = softmax(logits, 2)
    truth = np.stack([conf == 0, conf == 1], axis=2)
    loss = -(np.log(chances) * truth).sum() / count
    gradient = (chances - truth) * counted[:, :, None] / count
    return float(loss), gradient


def used_cells(conf: Array, tid: Array, profile: str) -> list[tuple[int, int, int, int]]:
    """Return picture, row, column and identity of the embeddings that take part."""
    cells = []
    pictures, _, height, width = conf.shape
    for n in range(pictures):
        mine = [
            (n, j, i, int(tid[n, :, j, i].max()))
            for j in range(height)
            for i in range(width)
            if (conf[n, :, j, i] == 1).any()
        ]
        if profile == "mindspore":
            mine = [cell for cell in mine if cell[3] >= 0 and cell[1:3] != (0, 0)][:400]
        cells += mine
    return cells


def read_identity(
    embeddings: Array,
    cells: list[tuple[int, int, int, int]],
    weights: Array,
    bias: Array,
    profile: str,
) -> tuple[float, dict[str, Array]]:
    gradients = {
        "embeddings": np.zeros_like(embeddings),
        "weights": np.zeros_like(weights),
        "bias": np.zeros_like(bias),
    }
    known = [cell for cell in cells if cell[3] >= 0]
    count = len(cells) if profile == "paddle" else len(known)
    if not known or (profile == "zhongdao" and len(cells) < 2):
        return 0.0, gradients
    scale, loss = math.sqrt(2) * math.log(len(bias) - 1), 0.0
    for n, j, i, identity in known:
        vector = embeddings[n, :, j, i]
        length = np.linalg.norm(vector)
        unit = vector / length
        chances = softmax(weights @ (scale * unit) + bias, 0)
        loss -= math.log(chances[identity]) / count
        slope = chances / count
        slope[identity] -= 1 / count
        gradients["weights"] += np.outer(slope, scale * unit)
        gradients["bias"] += slope
        back = scale * (weights.T @ slope)
        gradients["embeddings"][n, :, j, i] += (back - unit * (unit @ back)) / length
    return loss, gradients


def read_everything(case: "Case", profile: str) -> Reading:
    parts = np.zeros((3, 3))
    gradients: dict[str, Array] = {
        "weights": np.zeros_like(case.weights),
        "bias": np.zeros_like(case.bias),
        "uncertainty": np.zeros((3, 3)),
    }
    total, share = 0.0, 1 / 3 if profile == "mindspore" else 1.0
    for level, output in enumerate(case.outputs):
        grid = output["objectness"].shape[-2:]
        targets = [
            read_targets(
                case.boxes[case.picture == n] / STRIDES[level],
                case.identities[case.picture == n],
                np.array(ANCHORS_576X320[level], float) / STRIDES[level],
                grid,
            )
            for n in range(PICTURES)
        ]
        conf, tid, wanted = (np.stack(one) for one in zip(*targets, strict=True))
        box, box_slope = read_box(output["box_deltas"], conf, wanted)
        objectness, objectness_slope = read_objectness(output["objectness"], conf, profile)
        cells = used_cells(conf, tid, profile)
        identity, slopes = read_identity(
            output["embeddings"], cells, case.weights, case.bias, profile
        )
        parts[:, level] = box, objectness, identity
        weights = [0.5 * share * math.exp(-s) for s in STARTS]
        total += sum(w * p for w, p in zip(weights, parts[:, level], strict=True))
        total += 0.5 * share * sum(STARTS)
        gradients["uncertainty"][:, level] = [
            0.5 * share - w * p for w, p in zip(weights, parts[:, level], strict=True)
        ]
        gradients[f"box_deltas{level}"] = weights[0] * box_slope
        gradients[f"objectness{level}"] = weights[1] * objectness_slope
        gradients[f"embeddings{level}"] = weights[2] * slopes["embeddings"]
        gradients["weights"] += weights[2] * slopes["weights"]
        gradients["bias"] += weights[2] * slopes["bias"]
    return Reading(parts, total, gradients)


@dataclass
class Case:
    """A batch and what a network said about it, in float64."""

    outputs: list[dict[str, Array]]
    boxes: Array
    identities: Array
    picture: Array
    weights: Array
    bias: Array


def make_case(seed: int, *, people: int = 14) -> Case:
    rng = np.random.default_rng(seed)
    width, height = SIZE
    outputs = [
        {
            "box_deltas": rng.normal(size=(PICTURES, 4, 4, height // s, width // s)),
            "objectness": 2 * rng.normal(size=(PICTURES, 4, 2, height // s, width // s)),
            "embeddings": 3 * rng.normal(size=(PICTURES, DIM, height // s, width // s)),
        }
        for s in STRIDES
    ]
    tall = rng.choice([16, 25, 33, 60, 95, 130, 270], people) * rng.uniform(0.9, 1.1, people)
    boxes = np.stack(
        [
            rng.uniform(-20, width + 20, people),
            rng.uniform(-20, height + 20, people),
            tall * rng.uniform(0.3, 0.4, people),
            tall,
        ],
        axis=1,
    )
    return Case(
        outputs,
        boxes.astype(np.float32).astype(np.float64),
        rng.integers(-1, IDENTITIES, people),
        # The last picture is empty.
        rng.integers(0, PICTURES - 1, people),
        rng.normal(size=(IDENTITIES, DIM)),
        rng.normal(size=IDENTITIES),
    )


def slope_of(leaf: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def run_criterion(case: Case, config: LossConfig) -> tuple[LossParts, dict[str, torch.Tensor]]:
    """Return the losses of `jde` and the gradients of its total."""
    criterion = JDECriterion(ANCHORS_576X320, DIM, IDENTITIES, config)
    with torch.no_grad():
        criterion.classifier.weight.copy_(torch.from_numpy(case.weights))
        criterion.classifier.bias.copy_(torch.from_numpy(case.bias))
    leaves = [
        {
            name: torch.tensor(value, dtype=torch.float32, requires_grad=True)
            for name, value in one.items()
        }
        for one in case.outputs
    ]
    batch = Batch(
        torch.zeros((PICTURES, 3, SIZE[1], SIZE[0]), dtype=torch.uint8),
        torch.tensor(case.boxes, dtype=torch.float32),
        torch.from_numpy(case.identities),
        torch.from_numpy(case.picture),
        ("a", "b", "c"),
    )
    losses = criterion([LevelOutput(**one) for one in leaves], batch)
    losses.total.backward()
    learned = {
        "weights": criterion.classifier.weight,
        "bias": criterion.classifier.bias,
        **{
            f"{name}{level}": leaf for level, one in enumerate(leaves) for name, leaf in one.items()
        },
    }
    gradients = {name: slope_of(leaf) for name, leaf in learned.items()}
    weights = (criterion.box_weight, criterion.objectness_weight, criterion.identity_weight)
    gradients["uncertainty"] = torch.stack([slope_of(weight) for weight in weights])
    return losses, gradients


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("profile", ["zhongdao", "paddle", "mindspore"])
def test_losses_and_gradients_are_those_of_the_published_programs(profile: str, seed: int) -> None:
    case = make_case(seed)
    profiles: dict[str, Callable[[], LossConfig]] = {
        "zhongdao": LossConfig.zhongdao,
        "paddle": LossConfig.paddle,
        "mindspore": LossConfig.mindspore,
    }
    losses, gradients = run_criterion(case, profiles[profile]())
    expected = read_everything(case, profile)
    found = np.stack([losses.box, losses.objectness, losses.identity])
    assert (expected.parts[1] > 0).all()
    assert (expected.parts[[0, 2]] > 0).sum() >= 4
    np.testing.assert_allclose(found, expected.parts, rtol=1e-4, atol=1e-7)
    assert losses.total.item() == pytest.approx(expected.total, rel=1e-4)
    assert gradients.keys() == expected.gradients.keys()
    for name, gradient in expected.gradients.items():
        scale = np.abs(gradient).max()
        np.testing.assert_allclose(
            gradients[name], gradient, rtol=1e-4, atol=1e-4 * scale, err_msg=name
        )


def test_the_default_differs_only_in_weights_of_what_was_not_measured() -> None:
    case = make_case(1)
    # Only tall people: the finest level has nobody to find.
    case.boxes[:, 2:] = [60.0, 180.0]
    losses, gradients = run_criterion(case, LossConfig())
    expected = read_everything(case, "default")
    np.testing.assert_allclose(losses.total.item(), expected.total, rtol=1e-4)
    idle = expected.parts == 0
    assert idle.any()
    assert not idle.all()
    np.testing.assert_allclose(
        gradients["uncertainty"], np.where(idle, 0, expected.gradients["uncertainty"]), rtol=1e-4
    )


def test_targets_of_one_person_are_those_of_the_reference_run() -> None:
    """Specification, section 17.6."""
    people = People(
        torch.tensor([[544.0, 304, 64, 192]]),
        torch.tensor([7]),
        torch.tensor([0]),
        torch.tensor([0]),
    )
    grids = [
        Grid(torch.tensor(ANCHORS_1088X608[level], dtype=torch.float32), s, 608 // s, 1088 // s)
        for level, s in enumerate(STRIDES)
    ]
    coarse, middle, fine = assign(people, grids, 1)
    for level in (coarse, fine):
        assert not level.objectness.any()
        assert not len(level.identities)
    counts = [(int((a == 1).sum()), int((a == -1).sum())) for a in middle.objectness[0]]
    assert counts == [(0, 0), (0, 5), (13, 6), (5, 18)]
    boxes = {
        tuple(place): box
        for *place, box in zip(
            *(axis.tolist() for axis in middle.places), middle.boxes, strict=True
        )
    }
    for place, box in (
        ((0, 2, 16, 34), (0, 0.25, 0, 0)),
        ((0, 2, 17, 34), (0, 0.16667, 0, 0)),
        ((0, 2, 18, 33), (0.25, 0.08333, 0, 0)),
    ):
        assert boxes[place].tolist() == pytest.approx(box, abs=1e-5)
    assert set(middle.identities.tolist()) == {7}


def test_loss_constants_are_those_of_the_reference_run() -> None:
    """Specification, section 17.8."""
    assert embedding_scale(14455) == pytest.approx(13.546364886742454, rel=1e-15)
    criterion = JDECriterion(ANCHORS_1088X608[:1], 4, 3)
    parts = torch.tensor([[0.110667], [0.729781], [9.605913]])
    losses = criterion.weigh(parts, parts > 0)
    assert losses.total.item() == pytest.approx(72.470, abs=5e-4)
