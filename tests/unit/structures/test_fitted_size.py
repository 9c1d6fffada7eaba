import pytest

from jde.structures.fitted_size import fitted_size
from jde.structures.letterbox import Letterbox, Size

BUDGETS = ((640, 352), (704, 384), (864, 480))


@pytest.mark.parametrize(
    ("picture", "sizes"),
    [
        ((1920, 1080), ((640, 352), (704, 384), (864, 480))),
        ((640, 480), ((544, 416), (608, 448), (736, 576))),
        ((768, 576), ((544, 416), (608, 448), (736, 576))),
        ((1080, 1920), ((352, 640), (384, 704), (480, 864))),
    ],
)
def test_the_input_takes_the_shape_of_the_picture(picture: Size, sizes: tuple[Size, ...]) -> None:
    assert tuple(fitted_size(picture, budget) for budget in BUDGETS) == sizes


@pytest.mark.parametrize("picture", [(1920, 1080), (500, 333), (31, 1000), (9999, 10), (1, 1)])
@pytest.mark.parametrize("budget", [*BUDGETS, (96, 64), (32, 32)])
def test_no_input_of_about_as_many_pixels_shows_more(picture: Size, budget: Size) -> None:
    most = budget[0] * budget[1] * 1.05
    sides = range(32, int(most / 32) + 1, 32)
    allowed = [(width, height) for width in sides for height in sides if width * height <= most]
    chosen = fitted_size(picture, budget)
    assert chosen in allowed
    scale = Letterbox.fit(picture, chosen).scale
    scales = {size: Letterbox.fit(picture, size).scale for size in allowed}
    assert scale == max(scales.values())
    best = [width * height for (width, height), each in scales.items() if each == scale]
    assert chosen[0] * chosen[1] == min(best)
