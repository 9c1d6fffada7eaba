import numpy as np

from jde.data.scenes.sprite import Sprite, paste, visible_fractions

RED, BLUE = (255, 0, 0), (0, 0, 255)


def square(left: int, top: int, colour: tuple[int, int, int] = RED) -> Sprite:
    colours = np.full((10, 10, 3), colour, np.uint8)
    return Sprite(colours, np.full((10, 10), 255, np.uint8), left, top)


def test_later_sprite_covers_earlier_one() -> None:
    canvas = np.zeros((20, 20, 3), np.uint8)
    for sprite in (square(2, 2), square(6, 2, BLUE)):
        paste(canvas, sprite)
    assert tuple(canvas[5, 4]) == RED
    assert tuple(canvas[5, 8]) == BLUE


def test_visible_fraction_counts_what_nearer_things_and_the_border_hide() -> None:
    seen = visible_fractions([square(2, 2), square(6, 2), square(15, 15)], (20, 20))
    np.testing.assert_allclose(seen, [0.4, 1.0, 0.25])


def test_sprite_outside_the_picture_changes_nothing() -> None:
    canvas = np.zeros((20, 20, 3), np.uint8)
    for left, top in ((-10, 0), (20, 0), (0, -40), (0, 20)):
        paste(canvas, square(left, top))
    assert not canvas.any()


def test_box_reaches_beyond_the_picture() -> None:
    assert square(-4, 15).box == (-4, 15, 6, 25)


def test_transparent_sprite_has_no_box() -> None:
    empty = Sprite(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), 0, 0)
    assert empty.box is None
