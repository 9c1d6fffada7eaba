from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from jde.data.sample import Labels, Sample, Source
from jde.data.scenes.composed_source import ComposedSource
from jde.data.scenes.composition import ComposedScene
from jde.data.scenes.cutouts import Cutouts, read_cutout
from jde.data.scenes.perspective import Perspective
from jde.structures.errors import InputError

SIZE = (192, 128)


def write_people(folder: Path, count: int, views: int = 2) -> Path:
    """Write cut-outs: rectangles with a head, each in its own colour."""
    rng = np.random.default_rng(0)
    for person in range(count):
        colour = rng.integers(0, 255, 3)
        for view in range(views):
            pixels = np.zeros((90 + view, 36, 4), np.uint8)
            pixels[20:, 4:32, :3], pixels[20:, 4:32, 3] = colour, 255
            pixels[4:20, 12:24, :3], pixels[4:20, 12:24, 3] = (90, 120, 200), 255
            path = folder / f"p{person}" / f"{view}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), pixels)
    return folder


class Street:
    """Pictures with one person in the middle, who is near and large."""

    name = "street"
    identity_count = 1

    def __len__(self) -> int:
        return 4

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        image = rng.integers(index, 255, (256, 384, 3), np.uint8)
        boxes = np.array([[150, 40, 230, 230]], np.float32)
        return Sample(image, Labels(boxes, np.zeros(1, np.int64)), Path("street.jpg"))


@pytest.fixture
def people(tmp_path: Path) -> Cutouts:
    return Cutouts.read(write_people(tmp_path / "people", 6))


def make_source(people: Cutouts, *, fresh: bool = False) -> ComposedSource:
    return ComposedSource(
        cutouts=people, backgrounds=Street(), seed=1, length=20, size=SIZE, people=4, fresh=fresh
    )


def samples(source: Source, count: int) -> Iterator[Sample]:
    for index in range(count):
        yield source.load(index, np.random.default_rng(index))


def test_picture_depends_on_the_index_alone(people: Cutouts) -> None:
    source = make_source(people)
    one, again = (source.load(3, np.random.default_rng(seed)) for seed in (0, 1))
    np.testing.assert_array_equal(one.image, again.image)
    np.testing.assert_array_equal(one.labels.boxes, again.labels.boxes)
    assert (one.image != source.load(4, np.random.default_rng(0)).image).any()


def test_identities_are_those_of_the_cutouts_and_people_of_the_place_have_none(
    people: Cutouts,
) -> None:
    source = make_source(people)
    seen = np.concatenate([sample.labels.identities for sample in samples(source, 20)])
    assert set(seen.tolist()) <= {-1, *range(6)}
    assert (seen == -1).any()
    assert len(set(seen.tolist()) - {-1}) >= 4
    assert source.identity_count == 6


def test_labelled_people_of_the_place_move_with_the_window(people: Cutouts) -> None:
    marked = Street().load(0, np.random.default_rng(0))
    left, top, right, bottom = marked.labels.boxes[0].astype(int)
    marked.image[:] = 60
    marked.image[top:bottom, left:right] = 220
    for seed in range(6):
        scene = ComposedScene(
            cutouts=people, background=marked, seed=seed, size=SIZE, people=0, moving=True
        )
        (first, *_, last) = scene.frames(20)
        for drawn in (first, last):
            grey = drawn.frame.image.mean(axis=2)
            x1, y1, x2, y2 = np.clip(drawn.boxes[0], 0, [*SIZE, *SIZE]).astype(int)
            inside = grey[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2]
            outside = grey.copy()
            outside[max(0, y1 - 2) : y2 + 2, max(0, x1 - 2) : x2 + 2] = np.nan
            assert inside.mean() > np.nanmean(outside) + 40


def test_nobody_is_put_in_front_of_a_nearer_person(people: Cutouts) -> None:
    for seed in range(15):
        scene = ComposedScene(
            cutouts=people,
            background=Street().load(0, np.random.default_rng(0)),
            seed=seed,
            size=SIZE,
            people=6,
        )
        (drawn,) = scene.frames(1)
        own = drawn.identities < len(people)
        for box in drawn.boxes[~own]:
            for other in drawn.boxes[own & (drawn.boxes[:, 3] < box[3] - 2)]:
                sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
                shared = np.maximum(sides, 0).prod()
                assert shared <= 0.12 * (box[2:] - box[:2]).prod()


def test_people_walk_and_keep_their_identities(people: Cutouts) -> None:
    street = Street().load(0, np.random.default_rng(0))
    empty = Sample(street.image, Labels.empty(), street.path)
    scene = ComposedScene(cutouts=people, background=empty, seed=4, size=SIZE, people=5)
    (first, *_, last) = scene.frames(40)
    shared, mine, its = np.intersect1d(first.identities, last.identities, return_indices=True)
    assert len(shared) >= 3
    assert (np.abs(first.boxes[mine] - last.boxes[its]).max(axis=1) > 1).sum() >= 2


def test_perspective_is_measured_from_labelled_people() -> None:
    feet = np.array([60, 80, 100, 120], np.float32)
    heights = 0.6 * (feet - 20)
    boxes = np.stack([feet * 0, feet - heights, feet * 0 + 10, feet], axis=1)
    found = Perspective.of_people(boxes, (200, 150))
    assert found is not None
    assert found.horizon == pytest.approx(20, abs=0.01)
    assert found.height(140.0) == pytest.approx(72, abs=0.01)


def test_no_perspective_is_measured_where_people_show_none() -> None:
    level = np.array([[0, 20, 10, 60], [20, 20, 30, 60], [40, 20, 50, 60]], np.float32)
    assert Perspective.of_people(level, (200, 150)) is None
    assert Perspective.of_people(level[:2], (200, 150)) is None


def test_cutout_is_cropped_to_the_person(people: Cutouts) -> None:
    colours, opacity = read_cutout(people.views[0][0])
    assert opacity.shape == (86, 28)
    assert colours.shape == (86, 28, 3)


def test_picture_without_opacity_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p" / "0.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(InputError, match=r"0\.png: is no RGBA picture"):
        read_cutout(path)


def test_folder_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no cut-out"):
        Cutouts.read(tmp_path)


def test_people_with_few_views_can_be_left_out(tmp_path: Path) -> None:
    write_people(tmp_path, 3, views=1)
    write_people(tmp_path / "more", 2, views=3)
    found = Cutouts.read(tmp_path / "more", tmp_path, least_views=2)
    assert len(found) == 2
