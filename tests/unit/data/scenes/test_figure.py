import numpy as np
import pytest

from jde.data.scenes.appearance import Appearance
from jde.data.scenes.figure import Place, paint_person
from jde.data.scenes.skeleton import Pose, joints
from jde.data.scenes.sprite import paste

GREY = 127


def draw_pose(rng: np.random.Generator) -> Pose:
    return Pose(
        phase=rng.uniform(0, 6.3),
        swing=rng.uniform(0, 0.5),
        heading=rng.uniform(-3, 3),
        elevation=rng.uniform(0, 0.6),
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("height", [24, 70, 200])
def test_box_fits_the_painted_pixels_to_one_pixel(seed: int, height: int) -> None:
    rng = np.random.default_rng(seed)
    canvas = np.full((320, 320, 3), GREY, np.uint8)
    place = Place(rng.uniform(150, 170), rng.uniform(240, 260), height / 1.7)
    sprite = paint_person(Appearance.draw(rng), draw_pose(rng), place)
    paste(canvas, sprite)
    rows, columns = np.nonzero((canvas != GREY).any(axis=2))
    painted = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert sprite.box is not None
    np.testing.assert_allclose(sprite.box, painted, atol=1)


def test_person_stands_on_the_place_and_is_as_tall_as_the_scale_says() -> None:
    look = Appearance.draw(np.random.default_rng(5))
    pose = Pose(phase=0.0, swing=0.0, heading=0.0, elevation=0.0)
    box = paint_person(look, pose, Place(160.0, 300.0, 100.0)).box
    assert box is not None
    assert box[3] == pytest.approx(300, abs=4)
    assert box[3] - box[1] == pytest.approx(100 * look.height, rel=0.06)
    assert box[0] < 160 < box[2]


def test_legs_swing_in_turn_and_a_foot_is_always_on_the_ground() -> None:
    look = Appearance.draw(np.random.default_rng(0))
    ahead = []
    for phase in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        at = joints(look, Pose(phase=phase, swing=0.4, heading=0.0, elevation=0.0))
        ankles = at["ankle0"], at["ankle1"]
        assert min(a[1] for a in ankles) == pytest.approx(0.045 * look.height, abs=1e-9)
        ahead.append(ankles[0][0] > ankles[1][0])
    assert True in ahead
    assert False in ahead


def test_two_people_look_different_and_one_looks_alike_in_two_poses() -> None:
    def mean_colour(person: int, pose: int) -> np.ndarray:
        rng = np.random.default_rng([pose, 9])
        look = Appearance.draw(np.random.default_rng(person))
        sprite = paint_person(look, draw_pose(rng), Place(100.0, 200.0, 60.0))
        return sprite.colours[sprite.opacity > 200].mean(axis=0)

    apart = [np.linalg.norm(mean_colour(i, 0) - mean_colour(i + 1, 0)) for i in range(12)]
    alike = [np.linalg.norm(mean_colour(i, 0) - mean_colour(i, 1)) for i in range(12)]
    assert np.mean(alike) < 0.5 * np.mean(apart)
