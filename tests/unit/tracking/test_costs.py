import numpy as np
import pytest
from scipy.spatial.distance import cdist

from jde.structures.boxes import pairwise_iou
from jde.tracking import costs
from jde.tracking.costs import Pairs, appearance_distances, overlap_distances, pairs_within
from jde.tracking.scratch import Scratch


def random_boxes(count: int, rng: np.random.Generator) -> np.ndarray:
    corner = rng.uniform(0, 400, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(1, 150, (count, 2))], axis=1)


def test_pairs_within_reach_are_all_found_and_no_far_one() -> None:
    rng = np.random.default_rng(0)
    first, reach, second = rng.normal(0, 50, 40), rng.uniform(0, 30, 40), rng.normal(0, 50, 60)
    pairs = pairs_within(first, reach, second)
    distance = np.abs(first[:, None] - second[None])
    found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert found >= set(map(tuple, np.argwhere(distance <= reach[:, None]).tolist()))
    assert (distance[pairs] <= reach[pairs.first] * 1.001 + 0.0011).all()
    assert len(found) == len(pairs.first)


def test_nobody_is_near_nobody() -> None:
    empty, some = np.zeros(0), np.ones(3)
    assert len(pairs_within(empty, empty, some).first) == 0
    assert len(pairs_within(some, some, empty).first) == 0
    distances = overlap_distances(np.zeros((4, 0)), np.ones((4, 2)), limit=0.5, margin=1.0)
    assert len(distances[1]) == 0


def test_overlap_in_whole_pixels_equals_the_published_example() -> None:
    first, second = np.array([[0.0, 0, 10, 10]]).T, np.array([[5.0, 0, 15, 10]]).T
    for margin, iou in ((1.0, 0.375), (0.0, 1 / 3)):
        _, distance = overlap_distances(first, second, limit=0.9, margin=margin)
        assert distance[0] == pytest.approx(1 - iou, abs=1e-12)


@pytest.mark.parametrize("limit", [0.15, 0.5, 0.8])
@pytest.mark.parametrize(("few", "many"), [(0, 0), (0, 10**9), (10**9, 0)])
def test_no_pair_below_the_limit_is_missed(
    monkeypatch: pytest.MonkeyPatch, limit: float, few: int, many: int
) -> None:
    # Near along both axes, along one alone, or all pairs compared.
    monkeypatch.setattr(costs, "FEW_PAIRS", few)
    monkeypatch.setattr(costs, "MANY_PAIRS", many)
    rng = np.random.default_rng(1)
    first, second = random_boxes(200, rng), random_boxes(250, rng)
    second[:50] = first[:50] + rng.normal(0, 3, (50, 4))
    expected = 1 - pairwise_iou(first, second, margin=1.0)
    pairs, distance = overlap_distances(first.T, second.T, limit=limit, margin=1.0)
    np.testing.assert_allclose(distance, expected[pairs], atol=1e-12)
    near = {pair for pair, d in zip(zip(*pairs, strict=True), distance, strict=True) if d <= limit}
    assert near == set(zip(*np.nonzero(expected <= limit), strict=True))
    assert near


@pytest.mark.parametrize(("dense_pairs", "pairs_at_a_time"), [(7, 512), (512, 7), (512, 512)])
def test_appearance_is_the_euclidean_distance_and_not_the_cosine(
    monkeypatch: pytest.MonkeyPatch, dense_pairs: int, pairs_at_a_time: int
) -> None:
    # By one matrix product, pair by pair in several turns, and in one.
    monkeypatch.setattr(costs, "DENSE_PAIRS", dense_pairs)
    monkeypatch.setattr(costs, "CHUNK_PAIRS", pairs_at_a_time)
    rng = np.random.default_rng(2)
    first, second = (rng.normal(size=(n, 32)) for n in (12, 15))
    first[3] = second[4] * (1 + 1e-6)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    rows, columns = np.indices((12, 15)).reshape(2, -1)
    single = first.astype(np.float32), second.astype(np.float32)
    found = appearance_distances(*single, Pairs(rows, columns), Scratch())
    np.testing.assert_allclose(found, cdist(*single).ravel(), atol=1e-7, rtol=1e-6)
