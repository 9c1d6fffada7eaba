import numpy as np
import pytest
from tests.published_association import extended_assignment

from jde.tracking.assignment import assign
from jde.tracking.costs import Pairs

INF = np.inf


def assign_matrix(matrix: list[list[float]] | np.ndarray, limit: float) -> list[int]:
    cost = np.array(matrix, np.float64).reshape(len(matrix), -1)
    rows, columns = np.indices(cost.shape).reshape(2, -1)
    return assign(Pairs(rows, columns), cost.ravel(), limit, cost.shape).tolist()


@pytest.mark.parametrize(
    ("matrix", "partner"),
    [
        ([[0.1, 0.6], [0.6, INF]], [0, -1]),
        ([[0.7]], [0]),
        ([[INF, INF]], [-1]),
        ([[0.71]], [-1]),
    ],
)
def test_published_examples_are_matched_as_published(
    matrix: list[list[float]], partner: list[int]
) -> None:
    assert assign_matrix(matrix, 0.7) == partner


def test_two_good_matches_beat_one_better_one() -> None:
    assert assign_matrix([[0.1, 0.3], [0.2, 0.69]], 0.7) == [1, 0]


def test_nobody_matches_nobody() -> None:
    none = np.zeros(0, np.int64)
    assert assign(Pairs(none, none), np.zeros(0), 0.7, (0, 3)).tolist() == []
    assert assign(Pairs(none, none), np.zeros(0), 0.7, (2, 0)).tolist() == [-1, -1]


def test_any_problem_is_solved_like_the_extended_matrix() -> None:
    rng = np.random.default_rng(5)
    for _ in range(400):
        shape = rng.integers(1, 9, 2)
        cost = np.where(rng.random(shape) < rng.random(), rng.uniform(0, 1.2, shape), INF)
        partner = assign_matrix(cost, 0.7)
        pairs = [(row, column) for row, column in enumerate(partner) if column >= 0]
        assert pairs == extended_assignment(cost, 0.7)
