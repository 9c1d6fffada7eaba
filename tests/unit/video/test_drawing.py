import numpy as np
import pytest

from jde.structures.tracks import Tracks
from jde.video.drawing import draw_tracks, identity_colour, paint_tracks
from jde.video.traces import FORGET_AFTER, Traces


def people(ids: list[int], boxes: list[list[float]]) -> Tracks:
    return Tracks(
        np.array(ids, np.int64),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(ids), 0.9, np.float32),
        np.zeros(len(ids), np.int64),
    )


def grey(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def test_box_is_drawn_in_the_colour_of_the_identity_on_a_copy() -> None:
    image = grey()

    drawn = draw_tracks(image, people([7], [[100, 60, 180, 200]]))

    assert (image == 90).all()
    for x, y in [(100, 130), (180, 130), (140, 60), (140, 200)]:
        assert tuple(drawn[y, x]) == identity_colour(7)
    assert tuple(drawn[130, 140]) == (90, 90, 90)


def test_painting_changes_the_picture_itself_in_the_same_way() -> None:
    image, tracks = grey(), people([7, 8], [[100, 60, 180, 200], [20, 60, 60, 200]])
    expected = draw_tracks(image, tracks)

    paint_tracks(image, tracks)

    np.testing.assert_array_equal(image, expected)


def test_the_class_is_written_only_where_there_are_several() -> None:
    image, tracks = grey(), people([7], [[20, 60, 260, 200]])
    alone = draw_tracks(image, tracks)
    np.testing.assert_array_equal(draw_tracks(image, tracks, class_names=["person"]), alone)
    named = draw_tracks(image, tracks, class_names=["bus", "person"])
    longer = draw_tracks(image, tracks, class_names=["omnibus", "person"])
    widths = [int((seen[50] == identity_colour(7)).all(axis=1).sum()) for seen in (alone, named)]
    assert widths[0] < widths[1]
    assert (longer != named).any()


def test_nobody_leaves_the_picture_as_it_is() -> None:
    np.testing.assert_array_equal(draw_tracks(grey(), Tracks.empty(), Traces()), grey())


@pytest.mark.parametrize(
    "box",
    [[-50, -40, 400, 300], [-80, -80, -10, -10], [318, 238, 900, 900], [-1e6, -1e6, 1e6, 1e6]],
)
def test_boxes_beyond_the_picture_are_drawn_within_it(box: list[float]) -> None:
    drawn = draw_tracks(grey(), people([3], [box]))

    assert drawn.shape == grey().shape
    assert (drawn != 90).any()


def test_any_six_identities_in_a_row_have_colours_far_apart() -> None:
    for first in range(1, 200):
        colours = np.array([identity_colour(first + k) for k in range(6)], int)
        gaps = np.abs(colours[:, None] - colours[None]).sum(axis=2)
        assert gaps[np.triu_indices(6, 1)].min() > 60


def test_trace_follows_the_feet() -> None:
    traces = Traces()
    for step in range(5):
        traces.add(people([2], [[20 + 40 * step, 40, 40 + 40 * step, 200]]))

    drawn = draw_tracks(grey(), people([2], [[180, 40, 200, 200]]), traces)

    np.testing.assert_array_equal(traces.points(2)[:, 0], [30, 70, 110, 150, 190])
    walked = (drawn[194:206] != 90).any(axis=(0, 2))
    assert walked[35:185].all()
    assert not walked[:25].any()


def test_traces_forget_the_oldest_positions_and_who_is_gone() -> None:
    traces = Traces(length=10)
    for step in range(1000):
        traces.add(people([step, 5000], [[0, 0, 10, 20], [step, 0, step + 10, 20]]))

    assert len(traces) <= FORGET_AFTER + 2
    assert len(traces.points(5000)) == 10
    assert len(traces.points(1)) == 0


@pytest.mark.parametrize("length", [1, 2, 10])
def test_a_trace_is_the_last_positions_in_their_order(length: int) -> None:
    traces = Traces(length)
    for step in range(45):
        traces.add(people([3], [[step, 0, step + 10, 20]]))

    expected = [[step + 5, 20] for step in range(45 - length, 45)]
    np.testing.assert_array_equal(traces.points(3), expected)


def test_who_comes_back_after_long_draws_no_line_across_the_picture() -> None:
    traces = Traces()
    traces.add(people([2], [[0, 0, 10, 20]]))
    for _ in range(FORGET_AFTER + 1):
        traces.add(Tracks.empty())

    traces.add(people([2], [[300, 200, 310, 220]]))

    np.testing.assert_array_equal(traces.points(2), [[305, 220]])


def test_lines_are_thicker_on_larger_pictures() -> None:
    def columns(width: int, height: int) -> int:
        box = [width * 0.4, height * 0.3, width * 0.6, height * 0.9]
        drawn = draw_tracks(grey(width, height), people([1], [box]))
        row = drawn[round(height * 0.6)]
        return int((row != 90).any(axis=1).sum())

    assert columns(1920, 1080) > columns(320, 240)
