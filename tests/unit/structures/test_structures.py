import numpy as np
import pytest

from jde.structures.boxes import clip_to_image, corners_to_ltwh, ltwh_to_corners, pairwise_iou
from jde.structures.detections import Detections
from jde.structures.letterbox import Letterbox
from jde.structures.tracks import Tracks

BOXES = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 60, 70]], np.float32)


def test_detections_without_embeddings_have_rows_without_columns() -> None:
    detections = Detections(BOXES, np.ones(3, np.float32))
    assert detections.embeddings.shape == (3, 0)
    assert detections.classes.tolist() == [0, 0, 0]
    assert len(detections.where(np.array([True, False, True]))) == 2


def test_row_counts_must_agree() -> None:
    with pytest.raises(ValueError, match="one row per detection, got 3, 3, 2 and 3"):
        Detections(BOXES, np.ones(3, np.float32), np.ones((2, 8), np.float32))


def test_nobody_is_a_value_too() -> None:
    assert len(Detections.empty(128)) == len(Tracks.empty()) == 0
    assert Detections.empty(128).embeddings.shape == (0, 128)


@pytest.mark.parametrize(("margin", "expected"), [(0.0, 1 / 3), (1.0, 0.375)])
def test_overlap_with_and_without_the_convention_of_whole_pixels(
    margin: float, expected: float
) -> None:
    overlaps = pairwise_iou(BOXES, BOXES, margin=margin)
    assert overlaps[0, 1] == pytest.approx(expected)
    assert overlaps[0, 2] == 0
    np.testing.assert_allclose(np.diag(overlaps), 1)


def test_boxes_without_area_overlap_nothing() -> None:
    point = np.zeros((1, 4), np.float32)
    assert pairwise_iou(point, point)[0, 0] == 0


def test_box_forms_convert_both_ways() -> None:
    np.testing.assert_array_equal(ltwh_to_corners(corners_to_ltwh(BOXES)), BOXES)
    assert corners_to_ltwh(BOXES)[2].tolist() == [50, 50, 10, 20]


def test_clipping_keeps_boxes_inside_the_picture() -> None:
    clipped = clip_to_image(np.array([[-5, -5, 700, 20]], np.float32), (640, 480))
    assert clipped.tolist() == [[0, 0, 640, 20]]


def test_points_go_to_the_network_and_back_within_the_rounding_of_the_padding() -> None:
    letterbox = Letterbox.fit((1920, 1080), (576, 320))
    boxes = np.array([[100, 200, 300, 800]], np.float32)
    back = letterbox.to_image(letterbox.to_network(boxes))
    np.testing.assert_allclose(back, boxes, atol=0.25 / letterbox.scale)
