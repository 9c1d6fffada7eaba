import numpy as np
import pytest

from jde.model.suppression import best_first, suppress


def greedy(boxes: np.ndarray, scores: np.ndarray, limit: float, margin: float) -> list[int]:
    """Plain reading: take the best box, drop what overlaps it too much, go on."""
    order, kept = sorted(range(len(scores)), key=lambda row: -scores[row]), []
    while order:
        best = order.pop(0)
        kept.append(best)
        order = [other for other in order if overlap(boxes[best], boxes[other], margin) <= limit]
    return kept


def overlap(first: np.ndarray, second: np.ndarray, margin: float) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0]) + margin
    height = min(first[3], second[3]) - max(first[1], second[1]) + margin
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(b[2] - b[0] + margin) * (b[3] - b[1] + margin) for b in (first, second)]
    return float(width * height / (sum(areas) - width * height))


@pytest.mark.parametrize("margin", [0.0, 1.0])
@pytest.mark.parametrize("limit", [0.0, 0.4, 0.7])
def test_kept_rows_equal_the_plain_reading(limit: float, margin: float) -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 40, 300):
        corner = rng.uniform(0, 120, (count, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(5, 50, (count, 2))], axis=1)
        scores = rng.uniform(0, 1, count).astype(np.float32)
        boxes = boxes.astype(np.float32)
        kept = suppress(boxes, scores, max_overlap=limit, margin=margin)
        assert kept.tolist() == greedy(boxes.astype(np.float64), scores, limit, margin)


def test_equal_scores_keep_their_order() -> None:
    boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 9], [50, 0, 60, 9]], np.float32)
    kept = suppress(boxes, np.full(3, 0.7, np.float32), max_overlap=0.4)
    assert kept.tolist() == [0, 2]


def test_no_boxes_keep_nothing() -> None:
    empty = suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), max_overlap=0.4)
    assert empty.shape == (0,)


def test_best_candidates_stay_in_their_order() -> None:
    scores = np.array([0.2, 0.9, 0.1, 0.8], np.float32)
    assert best_first(scores, 2).tolist() == [1, 3]
    assert best_first(scores, None).tolist() == [0, 1, 2, 3]
