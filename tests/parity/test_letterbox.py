"""Recorded letterboxes of the authors' program (specification, sections 17.1 and 17.2)."""

import numpy as np
import pytest

from jde.imaging.letterboxing import letterbox_image
from jde.structures.letterbox import Letterbox, Size

pytestmark = pytest.mark.parity

RECORDED = [
    ((1088, 608), (1920, 1080), 0.562963, (1081, 608), (3, 4, 0, 0)),
    ((1088, 608), (640, 480), 1.266667, (811, 608), (138, 139, 0, 0)),
    ((1088, 608), (1280, 720), 0.844444, (1081, 608), (3, 4, 0, 0)),
    ((1088, 608), (1536, 576), 0.708333, (1088, 408), (0, 0, 100, 100)),
    ((1088, 608), (900, 600), 1.013333, (912, 608), (88, 88, 0, 0)),
    ((1088, 608), (500, 333), 1.825826, (913, 608), (87, 88, 0, 0)),
    ((864, 480), (1920, 1080), 0.444444, (853, 480), (5, 6, 0, 0)),
    ((864, 480), (640, 480), 1.0, (640, 480), (112, 112, 0, 0)),
    ((864, 480), (1536, 576), 0.5625, (864, 324), (0, 0, 78, 78)),
    ((864, 480), (500, 333), 1.441441, (721, 480), (71, 72, 0, 0)),
    ((576, 320), (1920, 1080), 0.296296, (569, 320), (3, 4, 0, 0)),
    ((576, 320), (640, 480), 0.666667, (427, 320), (74, 75, 0, 0)),
    ((576, 320), (1536, 576), 0.375, (576, 216), (0, 0, 52, 52)),
    ((576, 320), (500, 333), 0.960961, (480, 320), (48, 48, 0, 0)),
]


@pytest.mark.parametrize(("network", "image", "scale", "resized", "padding"), RECORDED)
def test_letterbox_equals_the_recorded_one(
    network: Size, image: Size, scale: float, resized: Size, padding: tuple[int, int, int, int]
) -> None:
    box = Letterbox.fit(image, network)
    assert box.scale == pytest.approx(scale, abs=5e-7)
    assert box.resized == resized
    assert box.padding == padding
    left, right, top, bottom = box.padding
    assert (left + resized[0] + right, top + resized[1] + bottom) == network


def test_boxes_return_to_the_picture_as_recorded() -> None:
    box = Letterbox.fit((1920, 1080), (1088, 608))
    corners = np.array([[100, 100, 200, 400], [-5, 10, 30, 50]], np.float64)
    np.testing.assert_allclose(
        box.to_image(corners),
        [[171.3158, 177.6316, 348.9474, 710.5263], [0, 17.7632, 46.9737, 88.8158]],
        atol=5e-5,
    )


def test_paddle_measures_the_padding_from_the_rounded_size() -> None:
    exact = Letterbox.fit((500, 333), (1088, 608))
    rounded = Letterbox.fit((500, 333), (1088, 608), rounded_padding=True)
    assert rounded.left == (1088 - 913) / 2
    assert exact.left == pytest.approx((1088 - 500 * 608 / 333) / 2)


def test_padding_saturates_to_128_and_the_picture_stands_inside() -> None:
    image = np.full((480, 640, 3), (250, 10, 90), np.uint8)
    canvas, box = letterbox_image(image, (576, 320))
    left, right, top, bottom = box.padding
    assert canvas.shape == (320, 576, 3)
    assert (canvas[:, :left] == 128).all()
    assert (canvas[:, 576 - right :] == 128).all()
    assert (canvas[top : 320 - bottom, left : 576 - right] == (250, 10, 90)).all()
