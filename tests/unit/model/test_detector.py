from dataclasses import dataclass, replace

import numpy as np
import pytest

from jde.model.box_points import PointCells
from jde.model.config import STRIDES
from jde.model.detector import Detector
from jde.model.head_maps import LevelMaps
from jde.model.post_processing import PostProcessing
from jde.model.presets import PRESETS
from jde.structures.errors import InputError

CONFIG = PRESETS["jde-nano"]
FITTED = replace(CONFIG, input_shape="fitted")
WIDTH, HEIGHT = CONFIG.input_size


@dataclass
class RecordedMaps:
    """Maps that a test wrote by hand; the embedding of a cell is its place."""

    levels: tuple[LevelMaps, ...]

    def embeddings(
        self, level: int, pictures: np.ndarray, rows: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        maps = np.zeros((len(rows), CONFIG.embedding_dim), np.float32)
        maps[:, 0], maps[:, 1], maps[:, 2], maps[:, 3] = level + 1, pictures, rows, columns
        return maps

    def point_embeddings(self, level: int, picture: int, cells: PointCells) -> np.ndarray:
        raise AssertionError(f"{level}, {picture}, {cells}: this network is read at cells")


class RecordedEngine:
    """Sees a person at each given (level, anchor, row, column, logit), in every picture."""

    name = "recorded"
    streams = 1
    input_size = (WIDTH, HEIGHT)
    takes_any_size = True

    def __init__(self, *people: tuple[int, int, int, int, float]) -> None:
        self.people = people
        self.sizes: list[tuple[int, int, int]] = []

    def __call__(self, images: np.ndarray) -> RecordedMaps:
        n, height, width, _ = images.shape
        self.sizes.append((n, width, height))
        shapes = [(n, 4, height // stride, width // stride) for stride in STRIDES]
        levels = tuple(
            LevelMaps(np.zeros((n, a, 4, h, w), np.float32), np.zeros((n, a, 2, h, w), np.float32))
            for n, a, h, w in shapes
        )
        for level, anchor, row, column, logit in self.people:
            levels[level].objectness[:, anchor, 1, row, column] = logit
        return RecordedMaps(levels)


def picture(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_a_person_is_found_where_its_anchor_lies() -> None:
    detector = Detector(RecordedEngine((1, 0, 10, 18, 3.0)), CONFIG)
    found = detector(picture())
    width, height = CONFIG.anchors[1][0]
    x, y = 18 * 16, 10 * 16
    expected = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    np.testing.assert_allclose(found.boxes, [expected])
    assert found.scores[0] == pytest.approx(1 / (1 + np.exp(-3.0)))
    direction = np.array([2, 0, 10, 18]) / np.linalg.norm([2, 0, 10, 18])
    np.testing.assert_allclose(found.embeddings[0, :4], direction, rtol=1e-6)


def test_boxes_come_back_in_pixels_of_the_picture() -> None:
    engine = RecordedEngine((2, 3, 20, 30, 2.0))
    small = Detector(engine, CONFIG)(picture())
    large = Detector(engine, CONFIG)(picture(2 * WIDTH, 2 * HEIGHT))
    np.testing.assert_allclose(large.boxes, 2 * small.boxes)


def test_a_fixed_input_has_one_size_for_every_picture() -> None:
    engine = RecordedEngine()
    detector = Detector(engine, CONFIG)
    detector.batch([picture(640, 480), picture(1080, 1920), picture(64, 48)])
    assert engine.sizes == [(3, WIDTH, HEIGHT)]
    assert detector.input_for((640, 480)) == detector.input_size == (WIDTH, HEIGHT)


def test_a_fitted_input_has_the_shape_of_each_picture_and_the_order_stays() -> None:
    engine = RecordedEngine((2, 3, 20, 30, 2.0))
    detector = Detector(engine, FITTED)
    pictures = [picture(*size) for size in ((640, 480), (1080, 1920), (320, 240))]
    found = detector.batch(pictures)
    wide, upright = (480, 384), (320, 576)
    assert engine.sizes == [(2, *wide), (1, *upright)]
    assert (detector.input_size, detector.input_shape) == ((WIDTH, HEIGHT), "fitted")
    for one, each in zip(pictures, found, strict=True):
        alone = detector(one)
        np.testing.assert_array_equal(alone.boxes, each.boxes)
    scales = [480 / 640, 576 / 1920, 480 / 320]
    first = found[0].boxes * scales[0]
    np.testing.assert_allclose(found[2].boxes * scales[2], first, rtol=1e-6)


def test_an_engine_of_one_size_is_not_given_another() -> None:
    engine = RecordedEngine()
    engine.takes_any_size = False
    detector = Detector(engine, FITTED)
    detector(picture(640, 480))
    assert engine.sizes == [(1, WIDTH, HEIGHT)]
    assert detector.input_shape == "fixed"


def test_boxes_beyond_the_fixed_input_are_embedded_where_they_lie() -> None:
    detector = Detector(RecordedEngine(), FITTED)
    width, height = CONFIG.anchors[2][1]
    low = np.array([[100, 500, 100 + width, 500 + height]], np.float32)
    row, column = int(500 + height / 2) // 8, int(100 + width / 2) // 8
    direction = np.array([3, 0, row, column]) / np.linalg.norm([3, 0, row, column])
    embedding = detector.embed(picture(320, 576), low)[0]
    np.testing.assert_allclose(embedding[:4], direction, rtol=1e-6)
    _, embeddings = detector.embed_every_level(picture(320, 576), low)
    np.testing.assert_allclose(embeddings[-1, :4], direction, rtol=1e-6)


def test_nobody_gives_empty_detections_with_the_right_width() -> None:
    found = Detector(RecordedEngine(), CONFIG)(picture())
    assert len(found) == 0
    assert found.embeddings.shape == (0, CONFIG.embedding_dim)


def test_overlapping_candidates_leave_the_best() -> None:
    engine = RecordedEngine((1, 3, 8, 8, 1.0), (1, 3, 8, 9, 2.0), (1, 3, 8, 30, 0.5))
    scores = Detector(engine, CONFIG)(picture()).scores
    np.testing.assert_allclose(scores, 1 / (1 + np.exp([-2.0, -0.5])), rtol=1e-6)


def test_a_batch_gives_what_single_pictures_give() -> None:
    detector = Detector(RecordedEngine((0, 1, 4, 4, 1.0), (2, 1, 9, 9, 2.0)), CONFIG)
    pictures = [picture(), picture(640, 480), picture(320, 480)]
    for single, batched in zip(map(detector, pictures), detector.batch(pictures), strict=True):
        np.testing.assert_array_equal(single.boxes, batched.boxes)
        np.testing.assert_array_equal(single.scores, batched.scores)
    assert detector.batch([]) == []


def test_paddle_rounds_boxes_and_limits_their_number() -> None:
    settings = PostProcessing.for_source("paddle")
    engine = RecordedEngine((2, 0, 10, 10, 2.0))
    found = Detector(engine, CONFIG, settings)(picture(500, 333))
    np.testing.assert_array_equal(found.boxes, np.round(found.boxes))
    assert (settings.max_candidates, settings.max_detections) == (2000, 500)


def test_mindspore_takes_800_candidates_and_counts_whole_pixels() -> None:
    settings = PostProcessing.for_source("mindspore")
    assert (settings.max_candidates, settings.pixel_overlap) == (800, True)
    assert PostProcessing.for_source("zhongdao") == PostProcessing()


def test_given_boxes_are_embedded_at_the_level_of_their_size() -> None:
    detector = Detector(RecordedEngine(), CONFIG)
    width, height = CONFIG.anchors[2][1]
    box = np.array([[100, 100, 100 + width, 100 + height]], np.float32)
    embedding = detector.embed(picture(), box)[0]
    row, column = int(100 + height / 2) // 8, int(100 + width / 2) // 8
    direction = np.array([3, 0, row, column]) / np.linalg.norm([3, 0, row, column])
    np.testing.assert_allclose(embedding[:4], direction, rtol=1e-6)


def test_the_published_test_embeds_a_box_at_every_level_that_fits() -> None:
    detector = Detector(RecordedEngine(), CONFIG)
    (wide, tall), (_, larger) = CONFIG.anchors[2][3], CONFIG.anchors[1][0]
    box = np.array([[80, 80, 80 + wide, 80 + (tall + larger) / 2]], np.float32)
    twin = box + np.float32(0.5)
    rows, embeddings = detector.embed_every_level(picture(), np.concatenate([box, twin]))
    assert rows.tolist() == [0, 0]
    np.testing.assert_allclose(embeddings[:, 0] / embeddings[:, 2], [2 / 6, 3 / 13], rtol=1e-5)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((4, 4), np.uint8), "shape"),
        (np.zeros((4, 4, 3), np.float32), "float32"),
        (np.zeros((0, 4, 3), np.uint8), "pixels"),
    ],
)
def test_what_is_no_picture_is_refused(bad: np.ndarray, message: str) -> None:
    from jde.model.detector import check_image

    check = getattr(check_image, "__wrapped__", check_image)
    with pytest.raises(InputError, match=message):
        check(bad)


@pytest.mark.parametrize("values", [{"min_score": 1.5}, {"max_overlap": -0.1}])
def test_thresholds_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(InputError, match="must be from 0 to 1"):
        PostProcessing(**values)  # type: ignore[arg-type]
