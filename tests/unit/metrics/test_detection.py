import sys

import numpy as np
import pytest

from jde.metrics.coco import coco_scores
from jde.metrics.detection import (
    DetectionScores,
    SeenPicture,
    area_under_envelope,
    find_right,
    running_scores,
    score_picture,
)
from jde.structures.errors import MissingExtraError

NOBODY: list[float] = []


def seen(detections: dict[float, float], people: list[float]) -> SeenPicture:
    """Boxes 10 wide and 20 high, by their left side; detections with their scores."""

    def boxes(lefts: list[float]) -> np.ndarray:
        table = np.array([[left, 0, left + 10, 20] for left in lefts], np.float32)
        return table.reshape(-1, 4)

    scores = np.array(list(detections.values()), np.float32)
    return SeenPicture(boxes(list(detections)), scores, boxes(people))


def test_perfect_picture() -> None:
    assert score_picture(seen({0: 0.9, 50: 0.8}, [0, 50])) == (1, 1, 1)


def test_false_alarm_before_and_after_the_right_one() -> None:
    assert score_picture(seen({90: 0.9, 0: 0.8}, [0])) == (0.5, 1, 0.5)
    assert score_picture(seen({90: 0.7, 0: 0.8}, [0])) == (1, 1, 0.5)


def test_hand_computed_curve() -> None:
    # Right, wrong, right, wrong, with three people: precisions 1, 1/2, 2/3, 1/2.
    picture = seen({0: 0.9, 90: 0.8, 50: 0.7, 70: 0.6}, [0, 50, 200])
    average_precision, recall, precision = score_picture(picture)
    assert average_precision == pytest.approx(1 / 3 * 1 + 1 / 3 * 2 / 3)
    assert (recall, precision) == pytest.approx((2 / 3, 0.5))


def test_second_detection_of_a_person_is_wrong_even_where_another_person_would_fit() -> None:
    # Both detections overlap the person at 0 most; the one at 3 is near enough to the other.
    picture = seen({0: 0.9, 1: 0.8}, [0, 3])
    assert find_right(picture).tolist() == [True, False]


def test_better_score_takes_the_person_whatever_the_order() -> None:
    assert find_right(seen({1: 0.3, 0: 0.9, 2: 0.5}, [1])).tolist() == [True, False, False]


def test_overlap_of_exactly_a_half_is_too_little() -> None:
    people = np.array([[0, 0, 10, 20]], np.float32)
    detection = np.array([[0, 0, 10, 10]], np.float32)
    picture = SeenPicture(detection, np.ones(1, np.float32), people)
    assert find_right(picture).tolist() == [False]


def test_envelope_raises_each_precision_to_the_best_after_it() -> None:
    area = area_under_envelope(np.array([0.25, 0.5, 0.75]), np.array([0.5, 1.0, 0.6]))
    assert area == pytest.approx(0.25 * 1 + 0.25 * 1 + 0.25 * 0.6)


def test_published_means_forgive_pictures_without_detections_and_honest_ones_do_not() -> None:
    pictures = [seen({0: 0.9}, [0]), seen({}, [0]), seen({0: 0.9}, NOBODY), seen({}, NOBODY)]
    *_, scores = running_scores(pictures)
    assert (scores.pictures, scores.scored, scores.one_sided) == (4, 1, 2)
    found = scores.as_dict()
    assert (found["P"], found["R"], found["mAP"]) == (1, 1, 1)
    for name in ("P of all", "R of all", "mAP of all"):
        assert found[name] == pytest.approx(1 / 3)


def test_no_picture_scores_nothing() -> None:
    assert set(DetectionScores().as_dict().values()) == {0}
    assert list(running_scores([])) == []


def test_coco_scores_of_hand_made_pictures() -> None:
    pytest.importorskip("faster_coco_eval")
    perfect = coco_scores([seen({0: 0.9, 50: 0.8}, [0, 50]), seen({}, NOBODY)])
    assert (perfect["AP"], perfect["AP50"], perfect["AR100"]) == pytest.approx((1, 1, 1))
    assert perfect["APl"] == -1
    # Moved by a tenth of the width: overlap 9/11 passes 7 of the 10 limits from 0.5 to 0.95.
    moved = coco_scores([seen({1: 0.9}, [0])])
    assert moved["AP"] == pytest.approx(0.7)


def test_coco_without_detections_is_zero() -> None:
    pytest.importorskip("faster_coco_eval")
    assert coco_scores([seen({}, [0])])["AP"] == 0


def test_coco_names_the_package_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'jde\[coco\]'"):
        coco_scores([])
