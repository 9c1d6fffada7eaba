import math

import numpy as np
import pytest

from jde.data.augmentation import flip_labels, move_labels
from jde.data.geometry import (
    AffineDraw,
    letterbox_matrix,
    remains_visible,
    shrink_boxes,
    warp_boxes,
)
from jde.data.sample import Labels
from jde.structures.letterbox import Letterbox

NO_ZOOM = np.eye(3)


def draw(
    degrees: float = 0.0,
    scale: float = 1.0,
    translation: tuple[float, float] = (0.0, 0.0),
    shear: tuple[float, float] = (0.0, 0.0),
) -> AffineDraw:
    return AffineDraw(degrees, scale, translation, shear)


def labels(*boxes: list[float]) -> Labels:
    return Labels(np.array(boxes, np.float32).reshape(-1, 4), np.arange(len(boxes)))


def test_no_movement_is_the_identity() -> None:
    np.testing.assert_array_equal(draw().matrix((200, 100)), np.eye(3))


def test_quarter_turn_goes_about_the_centre() -> None:
    # OpenCV turns against the clock on the screen: right goes up.
    moved = warp_boxes(np.array([[150.0, 45, 160, 55]]), draw(degrees=90.0).matrix((200, 100)))
    np.testing.assert_allclose(moved, [[95, -10, 105, 0]], atol=1e-9)


def test_growth_shift_and_shear_come_in_the_published_order() -> None:
    matrix = draw(scale=0.5, translation=(10.0, -4.0), shear=(45.0, 0.0)).matrix((200, 100))
    # (20, 30) shrinks to (60, 40), shifts to (70, 36), and the shear adds y to x.
    np.testing.assert_allclose(matrix @ [20, 30, 1], [106, 36, 1], atol=1e-9)


def test_hull_of_a_turned_box_shrinks_by_the_root_of_the_cosine() -> None:
    shrunk = shrink_boxes(np.array([[10.0, 20, 30, 60]]), -60.0)
    factor = math.sqrt(math.sin(math.radians(60)))
    expected = [20 - 10 * factor, 40 - 20 * factor, 20 + 10 * factor, 40 + 20 * factor]
    np.testing.assert_allclose(shrunk, [expected])


def test_labels_take_the_unrounded_padding() -> None:
    # 101x100 in 64x64: scale 64/101, 64x63, half a row of padding.
    box = Letterbox.fit((101, 100), (64, 64))
    placed = box.to_network(np.array([[0, 0, 101, 100]], np.float32))
    np.testing.assert_allclose(placed, [[0, 0.5, 64, 0.5 + 6400 / 101]], rtol=1e-6)


def test_letterbox_matrix_maps_the_corners_of_the_picture() -> None:
    box = Letterbox.fit((200, 100), (64, 64))
    edges = np.array([[-0.5, 199.5], [-0.5, 99.5], [1, 1]])  # outer edges by pixel centres
    np.testing.assert_allclose(
        letterbox_matrix(box, (200, 100)) @ edges,
        np.array([[-0.5, 63.5], [15.5, 47.5], [1.0, 1.0]]),
    )


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], True),
        ([0, 0, 4, 10], [0, 0, 4, 10], False),  # not wider than 4
        ([0, 0, 4.1, 10], [0, 0, 4.1, 10], True),
        ([0, 0, 10, 4], [0, 0, 10, 4], False),
        ([0, 0, 100, 10], [0, 0, 10, 10], False),  # a tenth is not more than a tenth
        ([0, 0, 99, 10], [0, 0, 10, 10], True),
        ([0, 0, 5, 50], [0, 0, 5, 50], False),  # ten times as high as wide
        ([0, 0, 5, 49.9], [0, 0, 5, 49.9], True),
        ([0, 0, 0, 0], [0, 0, 0, 0], False),
    ],
)
def test_boxes_that_are_too_small_or_too_long_are_dropped(
    *, before: list[float], after: list[float], kept: bool
) -> None:
    visible = remains_visible(np.array([before], np.float64), np.array([after], np.float64))
    assert visible.tolist() == [kept]


def test_people_who_leave_the_picture_are_cut_and_then_dropped() -> None:
    people = labels([10, 10, 50, 90], [95, 10, 135, 90], [120, 10, 160, 90])
    moved = move_labels(people, draw(translation=(60.0, 0.0)), NO_ZOOM, (200, 100))
    np.testing.assert_allclose(
        moved.boxes, [[70, 10, 110, 90], [155, 10, 195, 90], [180, 10, 200, 90]]
    )
    moved = move_labels(people, draw(translation=(77.0, 0.0)), NO_ZOOM, (200, 100))
    assert moved.identities.tolist() == [0, 1]


def test_zoom_does_not_count_as_lost_area() -> None:
    people = labels([10, 10, 50, 90])
    zoom = np.diag([0.25, 0.25, 1.0])
    moved = move_labels(people, draw(), zoom, (200, 100))
    np.testing.assert_allclose(moved.boxes, [[2.5, 2.5, 12.5, 22.5]])


def test_mirrored_boxes_keep_their_sides() -> None:
    mirrored = flip_labels(labels([10, 5, 30, 45]), 200)
    np.testing.assert_array_equal(mirrored.boxes, [[170, 5, 190, 45]])


def test_nobody_moves_to_nobody() -> None:
    moved = move_labels(Labels.empty(), draw(5.0, 0.7), NO_ZOOM, (64, 64))
    assert len(flip_labels(moved, 64)) == 0
