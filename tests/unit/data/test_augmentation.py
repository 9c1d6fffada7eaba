from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jde.data.augmentation import (
    Augmentation,
    AugmentationConfig,
    border_before,
    check_shape,
    draw_affine,
    draw_zoom,
    letterbox_sample,
)
from jde.data.colour import ColourConfig, scale_saturation_and_value, shift_hue
from jde.data.mosaic import mosaic
from jde.data.sample import Labels, Sample
from jde.structures.errors import InputError

SIZE = (160, 96)
STILL = AugmentationConfig(
    saturation=0.0,
    value=0.0,
    degrees=0.0,
    scale=(1.0, 1.0),
    translation=0.0,
    shear=0.0,
    flip=0.0,
)
NOISY = ColourConfig(hue=20.0, contrast=0.3, grey=0.5, blur=0.5, noise=0.5, jpeg=0.5)
PERSON = [120.0, 60.0, 180.0, 210.0]


def bright_person(box: list[float] = PERSON, size: tuple[int, int] = (400, 240)) -> Sample:
    """Return a white rectangle on black, with its edges as the label."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    left, top, right, bottom = map(int, box)
    image[top:bottom, left:right] = 255
    return Sample(image, Labels(np.array([box], np.float32), np.array([7])), Path("person.png"))


def smooth_sample() -> Sample:
    """Return a picture without sharp edges."""
    x, y = np.meshgrid(np.arange(400), np.arange(240))
    waves = [np.sin(x / 23), np.cos(y / 31), np.sin((x + y) / 41)]
    image = (120 + 90 * np.stack(waves, axis=2)).astype(np.uint8)
    return replace(bright_person(), image=image)


def seen_box(image: np.ndarray) -> list[float]:
    """Return the box around what is whiter than the padding."""
    rows, columns = np.nonzero(image.min(axis=2) > 190)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_without_change_it_is_the_letterbox() -> None:
    sample = bright_person()
    expected = letterbox_sample(sample, SIZE)
    for single_warp in (False, True):
        config = replace(STILL, single_warp=single_warp)
        changed = Augmentation(config, SIZE)(sample, np.random.default_rng(0))
        np.testing.assert_allclose(changed.labels.boxes, expected.labels.boxes, atol=1e-4)
        # A flat picture is sampled the same by both; edges may differ by the filter.
        assert (changed.image != expected.image).any(axis=2).mean() < (0.1 if single_warp else 1e-9)


@pytest.mark.parametrize("single_warp", [False, True])
@pytest.mark.parametrize("zoom", [(1.0, 1.0), (0.7, 1.6)])
def test_boxes_move_with_the_pixels(*, single_warp: bool, zoom: tuple[float, float]) -> None:
    # Growth and shift alone keep rectangles upright, so that the label is the exact edge.
    config = AugmentationConfig(
        degrees=0.0,
        shear=0.0,
        saturation=0.0,
        value=0.0,
        translation=0.05,
        zoom=zoom,
        single_warp=single_warp,
    )
    augmentation = Augmentation(config, SIZE)
    compared = 0
    for seed in range(60):
        changed = augmentation(bright_person(), np.random.default_rng(seed))
        for box in changed.labels.boxes:
            np.testing.assert_allclose(box, seen_box(changed.image), atol=1.5)
            compared += 1
    assert compared > 40


def test_turned_person_lies_around_its_label() -> None:
    augmentation = Augmentation(AugmentationConfig(saturation=0.0, value=0.0), SIZE)
    for seed in range(40):
        changed = augmentation(bright_person(), np.random.default_rng(seed))
        for box in changed.labels.boxes:
            seen = np.array(seen_box(changed.image))
            np.testing.assert_allclose((box[:2] + box[2:]) / 2, (seen[:2] + seen[2:]) / 2, atol=1.5)
            assert (np.abs(box - seen) < 4).all()


def test_one_warp_shows_what_the_published_two_show() -> None:
    sample = smooth_sample()
    twice = Augmentation(AugmentationConfig(single_warp=False, saturation=0.0, value=0.0), SIZE)
    once = replace(twice, config=replace(twice.config, single_warp=True))
    for seed in range(10):
        first = twice(sample, np.random.default_rng(seed))
        second = once(sample, np.random.default_rng(seed))
        np.testing.assert_array_equal(first.labels.boxes, second.labels.boxes)
        difference = np.abs(first.image.astype(int) - second.image)
        assert np.median(difference) <= 1
        assert difference.mean() < 1.5


def test_padding_keeps_its_grey_when_the_brightness_changes() -> None:
    config = replace(STILL, value=0.5, saturation=0.5, scale=(0.5, 0.5))
    for seed in range(20):
        changed = Augmentation(config, SIZE)(bright_person(), np.random.default_rng(seed))
        assert np.abs(changed.image[0].astype(int) - 128).max() <= 1


@pytest.mark.parametrize(
    "config",
    [
        AugmentationConfig(),
        AugmentationConfig(single_warp=False),
        AugmentationConfig(zoom=(0.8, 2.0), colour=NOISY),
    ],
)
def test_the_same_seed_gives_the_same_picture(config: AugmentationConfig) -> None:
    augmentation = Augmentation(config, SIZE)
    first, second = (augmentation(smooth_sample(), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.labels.boxes, second.labels.boxes)
    other = augmentation(smooth_sample(), np.random.default_rng(6))
    assert (first.image != other.image).any()


def test_movements_fill_the_published_ranges_with_swapped_axes() -> None:
    rng = np.random.default_rng(1)
    draws = [draw_affine(AugmentationConfig(), (1088, 608), rng) for _ in range(3000)]
    values = np.array([[one.degrees, one.scale, *one.translation, *one.shear] for one in draws])
    limits = np.array([[-5, 0.5, -60.8, -108.8, -2, -2], [5, 1.2, 60.8, 108.8, 2, 2]])
    span = limits[1] - limits[0]
    assert (values >= limits[0]).all()
    assert (values <= limits[1]).all()
    assert (values.min(axis=0) - limits[0] < 0.01 * span).all()
    assert (limits[1] - values.max(axis=0) < 0.01 * span).all()
    straight = AugmentationConfig(swapped_translation=False)
    shifts = [draw_affine(straight, (1088, 608), rng).translation[0] for _ in range(500)]
    assert max(shifts) > 100


def test_zoom_cuts_out_a_part_of_the_picture() -> None:
    rng = np.random.default_rng(2)
    config = AugmentationConfig(zoom=(1.0, 2.0))
    for _ in range(100):
        matrix = draw_zoom(config, SIZE, rng)
        corners = matrix @ np.array([[0, SIZE[0]], [0, SIZE[1]], [1, 1]])
        assert (corners[:2, 0] <= 1e-9).all()
        assert (corners[:2, 1] >= np.array(SIZE) - 1e-9).all()


def test_picture_that_would_lose_everyone_can_stay() -> None:
    sample = bright_person([0.0, 0.0, 14.0, 20.0])
    config = replace(STILL, scale=(0.3, 0.3))
    assert len(Augmentation(config, SIZE)(sample, np.random.default_rng(0)).labels) == 0
    config = replace(config, keep_people=True)
    kept = Augmentation(config, SIZE)(sample, np.random.default_rng(0))
    np.testing.assert_array_equal(kept.labels.boxes, letterbox_sample(sample, SIZE).labels.boxes)
    nobody = replace(sample, labels=Labels.empty())
    assert len(Augmentation(config, SIZE)(nobody, np.random.default_rng(0)).labels) == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scale": (1.2, 0.5)}, "scale must be two rising numbers above 0, got 1.2 0.5"),
        ({"zoom": (0.0, 1.0)}, "zoom must be two rising"),
        ({"flip": 1.5}, "flip must lie from 0 to 1, got 1.5"),
        ({"value": -0.1}, "value must lie"),
    ],
)
def test_senseless_ranges_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        AugmentationConfig(**values)


def test_picture_may_become_black() -> None:
    config = replace(STILL, value=1.0)
    for seed in range(20):
        Augmentation(config, SIZE)(bright_person(), np.random.default_rng(seed))
    assert border_before(0.0) == 255


def test_thread_of_a_picture_is_refused() -> None:
    check_shape(bright_person(size=(400, 240)), SIZE)
    thread = bright_person([0.0, 0.0, 9.0, 1.0], size=(800, 1))
    with pytest.raises(InputError, match=r"person\.png: 800x1 is too thin a picture"):
        check_shape(thread, SIZE)


def test_saturation_and_value_are_scaled_cut_and_truncated() -> None:
    image = np.array([[[255, 0, 0], [101, 101, 101]]], np.uint8)
    # Half of 255 is truncated to 127, of 101 to 50.
    assert scale_saturation_and_value(image, 0.5, 1.0).tolist()[0][0] == [255, 128, 128]
    assert scale_saturation_and_value(image, 1.0, 0.5).tolist()[0] == [[127, 0, 0], [50] * 3]
    # 1.5 times 255 is cut at 255, and 101 becomes 151.
    assert scale_saturation_and_value(image, 1.5, 1.5).tolist()[0] == [[255, 0, 0], [151] * 3]


def test_hue_turns_red_to_green() -> None:
    red = np.full((2, 2, 3), (255, 0, 0), np.uint8)
    assert shift_hue(red, 120.0)[0, 0].tolist() == [0, 255, 0]
    assert shift_hue(red, -120.0)[0, 0].tolist() == [0, 0, 255]


def test_mosaic_shows_each_person_where_its_label_says() -> None:
    seen = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        put = mosaic([bright_person() for _ in range(4)], SIZE, rng)
        assert put.image.shape == (SIZE[1], SIZE[0], 3)
        for left, top, right, bottom in put.labels.boxes.tolist():
            rows, columns = slice(round(top), round(bottom)), slice(round(left), round(right))
            inside = put.image[rows, columns]
            assert inside.mean() > 225
            seen += 1
        labelled = np.zeros(put.image.shape[:2], bool)
        for left, top, right, bottom in put.labels.boxes.tolist():
            labelled[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = True
        # Whoever is not labelled shows less than a tenth of the person, or a sliver.
        assert (put.image.min(axis=2)[~labelled] > 127).mean() < 0.05
    assert seen > 30
