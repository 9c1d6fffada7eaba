"""Decoding against recorded numbers and against a dense reading of the formulas."""

import numpy as np
import pytest

from jde.model.config import STRIDES
from jde.model.decoding import decode, decode_boxes
from jde.model.head_maps import LevelMaps
from jde.model.presets import ANCHORS_576X320, ANCHORS_1088X608

pytestmark = pytest.mark.parity


def centre_form(corners: np.ndarray) -> np.ndarray:
    sides = corners[:, 2:] - corners[:, :2]
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, sides], axis=1)


def test_recorded_delta_decodes_to_the_recorded_box() -> None:
    corners = decode_boxes(
        np.array([[0.1, -0.2, 0.3, 0.05], [0, 0, 0, 0]], np.float32),
        np.array([ANCHORS_1088X608[0][1], ANCHORS_1088X608[0][0]], np.float32),
        np.array([3, 3]),
        np.array([5, 5]),
        32,
    )
    np.testing.assert_allclose(
        centre_form(corners),
        np.array([[178, -12, 242.9746, 567.6864], [160, 96, 128, 384]]),
        rtol=1e-6,
    )


def random_maps(rng: np.random.Generator, pictures: int = 2) -> tuple[LevelMaps, ...]:
    return tuple(
        LevelMaps(
            rng.normal(0, 0.5, (pictures, 4, 4, 320 // stride, 576 // stride)).astype(np.float32),
            rng.normal(0, 2, (pictures, 4, 2, 320 // stride, 576 // stride)).astype(np.float32),
        )
        for stride in STRIDES
    )


def dense_reading(maps: tuple[LevelMaps, ...], picture: int) -> tuple[np.ndarray, np.ndarray]:
    """Every anchor of every cell in float64, one after the other: level, anchor, row, column."""
    boxes, scores = [], []
    for stride, anchors, level in zip(STRIDES, ANCHORS_576X320, maps, strict=True):
        deltas = level.box_deltas[picture].astype(np.float64)
        logits = level.objectness[picture].astype(np.float64)
        for kind, (width, height) in enumerate(anchors):
            for row in range(deltas.shape[2]):
                for column in range(deltas.shape[3]):
                    dx, dy, dw, dh = deltas[kind, :, row, column]
                    x, y = width * dx + column * stride, height * dy + row * stride
                    w, h = width * np.exp(dw), height * np.exp(dh)
                    boxes.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
                    background, person = logits[kind, :, row, column]
                    scores.append(np.exp(person) / (np.exp(background) + np.exp(person)))
    return np.array(boxes), np.array(scores)


@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.97])
def test_sparse_decoding_equals_the_dense_reading_in_content_and_order(threshold: float) -> None:
    maps = random_maps(np.random.default_rng(3))
    boxes, scores = dense_reading(maps, 1)
    found = decode(maps, ANCHORS_576X320, 1, min_score=threshold)
    kept = scores > threshold
    assert 0 < kept.sum() <= len(scores)
    np.testing.assert_allclose(found.boxes, boxes[kept], rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(found.scores, scores[kept], rtol=1e-5)


def test_a_score_equal_to_the_threshold_is_no_detection() -> None:
    maps = tuple(
        LevelMaps(np.zeros((1, 4, 4, 1, 1), np.float32), np.zeros((1, 4, 2, 1, 1), np.float32))
        for _ in STRIDES
    )
    assert len(decode(maps, ANCHORS_576X320, 0, min_score=0.5)) == 0
    assert len(decode(maps, ANCHORS_576X320, 0, min_score=0.49)) == 12
