"""Specification, section 11, written out box by box, against what trains."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from jde.data.augmentation import (
    Augmentation,
    AugmentationConfig,
    draw_affine,
    move_labels,
    warp_letterboxed,
)
from jde.data.colour import scale_saturation_and_value
from jde.data.geometry import AffineDraw
from jde.data.sample import Labels, Sample
from jde.structures.letterbox import Letterbox

SIZE = (1088, 608)


def literal_hsv(bgr: np.ndarray, a: float, b: float) -> np.ndarray:
    """Step 1, on BGR as published."""
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    saturation = hsv[:, :, 1].astype(np.float32) * a
    value = hsv[:, :, 2].astype(np.float32) * b
    if a > 1:
        saturation = saturation.clip(max=255)
    if b > 1:
        value = value.clip(max=255)
    hsv[:, :, 1] = saturation.astype(np.uint8)
    hsv[:, :, 2] = value.astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)


def literal_letterbox(image: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """Step 2: the picture, the ratio and the unrounded paddings."""
    (height, width), (across, down) = image.shape[:2], SIZE
    ratio = min(down / height, across / width)
    new = round(width * ratio), round(height * ratio)
    dw, dh = (across - new[0]) / 2, (down - new[1]) / 2
    image = cv2.resize(image, new, interpolation=cv2.INTER_AREA)
    image = cv2.copyMakeBorder(
        image,
        round(dh - 0.1),
        round(dh + 0.1),
        round(dw - 0.1),
        round(dw + 0.1),
        cv2.BORDER_CONSTANT,
        value=(127.5, 127.5, 127.5),
    )
    return image, ratio, dw, dh


def literal_matrix(draw: AffineDraw) -> np.ndarray:
    """Step 3: M = S T R."""
    width, height = SIZE
    r, t, s = np.eye(3), np.eye(3), np.eye(3)
    r[:2] = cv2.getRotationMatrix2D((width / 2, height / 2), draw.degrees, draw.scale)
    t[0, 2], t[1, 2] = draw.translation
    s[0, 1] = math.tan(draw.shear[0] * math.pi / 180)
    s[1, 0] = math.tan(draw.shear[1] * math.pi / 180)
    return s @ t @ r


def literal_box(box: list[float], m: np.ndarray, degrees: float) -> list[float] | None:
    """Step 3 for one corner box: where it goes, or None."""
    x1, y1, x2, y2 = box
    moved = [m @ [x, y, 1] for x, y in ((x1, y1), (x2, y2), (x1, y2), (x2, y1))]
    xs, ys = [point[0] for point in moved], [point[1] for point in moved]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    angle = degrees * math.pi / 180
    reduction = math.sqrt(max(abs(math.sin(angle)), abs(math.cos(angle))))
    x, y = (left + right) / 2, (top + bottom) / 2
    w, h = (right - left) * reduction, (bottom - top) * reduction
    left, right = (min(max(edge, 0), SIZE[0]) for edge in (x - w / 2, x + w / 2))
    top, bottom = (min(max(edge, 0), SIZE[1]) for edge in (y - h / 2, y + h / 2))
    w, h = right - left, bottom - top
    ratio = max(w / (h + 1e-16), h / (w + 1e-16))
    area = (x2 - x1) * (y2 - y1)
    keep = w > 4 and h > 4 and w * h / (area + 1e-16) > 0.1 and ratio < 10
    return [left, top, right, bottom] if keep else None


def picture(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return a picture with structure at all scales."""
    small = rng.integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    large = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    return cv2.add(large, rng.integers(0, 20, large.shape, np.uint8))


@pytest.mark.parity
def test_boxes_go_where_the_specification_says() -> None:
    rng = np.random.default_rng(11)
    kept = lost = 0
    for _ in range(60):
        draw = draw_affine(AugmentationConfig(), SIZE, rng)
        centres, sides = rng.uniform(0, SIZE, (40, 2)), rng.gamma(1.2, (40.0, 90.0), (40, 2))
        boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
        labels = Labels(boxes.astype(np.float32), np.arange(40))
        literal = [
            literal_box(box, literal_matrix(draw), draw.degrees) for box in labels.boxes.tolist()
        ]
        moved = move_labels(labels, draw, np.eye(3), SIZE)
        survivors = [number for number, box in enumerate(literal) if box is not None]
        assert moved.identities.tolist() == survivors
        expected = np.array([literal[number] for number in survivors], np.float64).reshape(-1, 4)
        np.testing.assert_allclose(moved.boxes, expected, rtol=1e-6, atol=1e-4)
        kept, lost = kept + len(survivors), lost + 40 - len(survivors)
    assert kept > 500
    assert lost > 200


@pytest.mark.parity
@pytest.mark.parametrize("size", [(1920, 1080), (640, 480), (333, 500)])
def test_labels_are_letterboxed_as_the_specification_says(size: tuple[int, int]) -> None:
    _, ratio, dw, dh = literal_letterbox(np.zeros((size[1], size[0], 3), np.uint8))
    shares = np.array([[0.5, 0.5, 0.1, 0.4], [0.02, 0.9, 0.1, 0.3]])
    cx, cy, w, h = shares.T
    expected = np.stack(
        [
            ratio * size[0] * (cx - w / 2) + dw,
            ratio * size[1] * (cy - h / 2) + dh,
            ratio * size[0] * (cx + w / 2) + dw,
            ratio * size[1] * (cy + h / 2) + dh,
        ],
        axis=1,
    )
    corners = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1) * np.tile(size, 2)
    placed = Letterbox.fit(size, SIZE).to_network(corners.astype(np.float32))
    np.testing.assert_allclose(placed, expected, rtol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("size", [(1280, 720), (400, 500)])
def test_two_steps_give_the_pixels_of_the_specification(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    image = picture(rng, size)
    draw = draw_affine(AugmentationConfig(), SIZE, rng)
    literal = literal_hsv(image[:, :, ::-1], 1.37, 0.72)
    literal = cv2.warpPerspective(
        literal_letterbox(literal)[0],
        literal_matrix(draw),
        SIZE,
        flags=cv2.INTER_LINEAR,
        borderValue=(127.5, 127.5, 127.5),
    )
    ours = scale_saturation_and_value(image, 1.37, 0.72)
    ours = warp_letterboxed(ours, draw.matrix(SIZE), SIZE)
    np.testing.assert_array_equal(ours, literal[:, :, ::-1])


@pytest.mark.parity
def test_whole_published_training_picture_is_equal_to_the_last_bit() -> None:
    rng = np.random.default_rng(5)
    image, box = picture(rng, (1280, 720)), [500.0, 200.0, 620.0, 560.0]
    sample = Sample(image, Labels(np.array([box], np.float32), np.array([4])), Path("a.jpg"))
    config = AugmentationConfig(single_warp=False)
    mirrored = set()
    for seed in range(4):
        ours = Augmentation(config, SIZE)(sample, np.random.default_rng(seed))
        chance = np.random.default_rng(seed)
        saturation, value = 1 + chance.uniform(-0.5, 0.5), 1 + chance.uniform(-0.5, 0.5)
        draw = draw_affine(config, SIZE, chance)
        chance.uniform(size=3)  # the zoom, which is off
        literal = literal_hsv(image[:, :, ::-1], saturation, value)
        literal, ratio, dw, dh = literal_letterbox(literal)
        literal = cv2.warpPerspective(
            literal, literal_matrix(draw), SIZE, borderValue=(127.5, 127.5, 127.5)
        )
        placed = [ratio * edge + shift for edge, shift in zip(box, (dw, dh, dw, dh), strict=True)]
        moved = literal_box(placed, literal_matrix(draw), draw.degrees)
        assert moved is not None
        flipped = chance.random() < 0.5
        if flipped:
            literal = np.fliplr(literal)
            moved[0], moved[2] = SIZE[0] - moved[2], SIZE[0] - moved[0]
        mirrored.add(flipped)
        np.testing.assert_array_equal(ours.image, literal[:, :, ::-1])
        np.testing.assert_allclose(ours.labels.boxes, [moved], rtol=1e-5)
    assert mirrored == {True, False}
