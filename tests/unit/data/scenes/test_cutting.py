from pathlib import Path

import cv2
import numpy as np

from jde.data.picture_source import Annotation, PictureSource
from jde.data.scenes.appearance import Appearance
from jde.data.scenes.backdrop import paint_backdrop
from jde.data.scenes.camera import Camera
from jde.data.scenes.cutouts import Cutouts, read_cutout
from jde.data.scenes.cutting import cut_box, cut_by_masks, cut_from_pictures
from jde.data.scenes.figure import Place, paint_person
from jde.data.scenes.skeleton import Pose
from jde.data.scenes.sprite import Sprite, paste
from jde.imaging.picture_file import write_picture
from jde.structures.frame import Image

CAMERA = Camera(size=(320, 240), focal=300.0, height=1.6, horizon=90.0)
POSE = Pose(phase=0.4, swing=0.3, heading=0.2, elevation=0.0)


def draw_street(person: int, x: float) -> tuple[Image, Sprite]:
    canvas = paint_backdrop(np.random.default_rng(4), CAMERA, (0, 0))
    look = Appearance.draw(np.random.default_rng(person))
    sprite = paint_person(look, POSE, Place(x, 220.0, 90.0))
    paste(canvas, sprite)
    return canvas, sprite


def test_outline_found_in_a_box_is_that_of_the_person() -> None:
    overlaps = []
    for person in range(6):
        image, sprite = draw_street(person, 150.0)
        assert sprite.box is not None
        cut = cut_box(image, np.array(sprite.box))
        if cut is None:
            continue
        left, top, right, bottom = map(int, sprite.box)
        truth = sprite.opacity[
            top - sprite.top : bottom - sprite.top, left - sprite.left : right - sprite.left
        ]
        found = cv2.resize(cut[1], truth.shape[::-1])
        both, either = (truth > 127) & (found > 127), (truth > 127) | (found > 127)
        overlaps.append(both.sum() / either.sum())
    assert len(overlaps) >= 3
    assert np.mean(overlaps) > 0.8


def test_masks_give_one_identity_for_each_whole_person(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    image, sprite = draw_street(1, 150.0)
    mask = np.zeros(image.shape[:2], np.uint8)
    inside, own = sprite.overlap((320, 240))
    mask[inside][sprite.opacity[own] > 127] = 1
    mask[60:200, 0:40] = 2  # cut off by the border
    write_picture(tmp_path / "images" / "a.png", image)
    cv2.imwrite(str(tmp_path / "masks" / "a_mask.png"), mask)
    assert cut_by_masks(tmp_path, tmp_path / "people") == 1
    people = Cutouts.read(tmp_path / "people")
    colours, opacity = read_cutout(people.views[0][0])
    assert abs(opacity.shape[0] - np.ptp(np.nonzero(mask == 1)[0])) <= 4
    shown = colours[opacity > 250].astype(int).mean(axis=0)
    np.testing.assert_allclose(shown, image[mask == 1].mean(axis=0), atol=8)


def test_views_of_one_identity_come_from_several_pictures(tmp_path: Path) -> None:
    annotations = []
    for frame, x in enumerate((80.0, 120.0, 160.0, 200.0, 240.0)):
        image, sprite = draw_street(2, x)
        path = tmp_path / f"{frame}.png"
        write_picture(path, image)
        shares = np.array([sprite.box]) / [320, 240, 320, 240]
        annotations.append(Annotation(path, shares, np.zeros(1, np.int64)))
    source = PictureSource.of("street", annotations, identity_names=("street-7",), size=(320, 240))
    count = cut_from_pictures(source, tmp_path / "people", sightings=3)
    assert 2 <= count <= 3
    people = Cutouts.read(tmp_path / "people")
    assert len(people.views[0]) == count
    assert people.names == ("street-7",)
