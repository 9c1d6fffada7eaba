import itertools
from pathlib import Path

import numpy as np
import pytest

from jde.data.scenes.camera import Camera
from jde.data.scenes.scene import LabelledFrame, Scene, Stage
from jde.data.scenes.sequence_folder import write_sequence
from jde.formats.mot_text import read_mot
from jde.formats.seqinfo import read_seqinfo
from jde.imaging.picture_file import list_pictures, read_picture

SIZE = (192, 128)


def draw(
    seed: int, count: int = 3, *, people: int = 5, moving: bool = False
) -> list[LabelledFrame]:
    scene = Scene(seed=seed, size=SIZE, people=people, moving=moving)
    return list(scene.frames(count))


@pytest.mark.parametrize("moving", [False, True])
def test_same_seed_gives_the_same_pictures_and_labels(*, moving: bool) -> None:
    for one, other in zip(draw(4, moving=moving), draw(4, moving=moving), strict=True):
        np.testing.assert_array_equal(one.frame.image, other.frame.image)
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.visibility, other.visibility)


def test_other_seed_gives_another_picture() -> None:
    assert (draw(1, 1)[0].frame.image != draw(2, 1)[0].frame.image).mean() > 0.5


def test_identities_persist_and_their_boxes_move_little() -> None:
    frames = draw(11, 10)
    for one, later in itertools.pairwise(frames):
        shared, mine, its = np.intersect1d(one.identities, later.identities, return_indices=True)
        assert len(shared) >= len(one.identities) - 1
        centres = [
            (drawn.boxes[rows, :2] + drawn.boxes[rows, 2:]) / 2
            for drawn, rows in ((one, mine), (later, its))
        ]
        heights = one.boxes[mine, 3] - one.boxes[mine, 1]
        assert (np.linalg.norm(centres[0] - centres[1], axis=1) < 0.15 * heights + 2).all()


def test_frames_count_from_one_and_their_times_follow_the_rate() -> None:
    frames = [drawn.frame for drawn in Scene(seed=0, size=SIZE, frame_rate=10.0).frames(3)]
    assert [frame.index for frame in frames] == [1, 2, 3]
    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.1, 0.2])


def test_nearer_people_cover_farther_ones() -> None:
    # With everybody on one line of sight only the nearest is seen whole.
    stage = Stage.build(Scene(seed=3, size=SIZE, people=3))
    stage = Stage(
        **{name: getattr(stage, name) for name in Stage.__slots__}
        | {"props": (), "camera": Camera(size=SIZE, focal=200.0, height=1.2, horizon=50.0)}
    )
    stage.crowd.places[:] = [(0, 6), (0, 3.5), (0, 9)]
    seen = stage.draw(1, 0.0)
    nearest_first = [1, 0, 2]
    visibility = dict(zip(seen.identities.tolist(), seen.visibility.tolist(), strict=True))
    assert visibility[1] > 0.9
    assert visibility[0] < 0.5
    order = seen.identities[np.argsort(seen.boxes[:, 1] - seen.boxes[:, 3])].tolist()
    assert order == nearest_first


def test_scene_without_people_has_empty_labels() -> None:
    (drawn,) = draw(0, 1, people=0)
    assert drawn.boxes.shape == (0, 4)
    assert drawn.frame.image.shape == (128, 192, 3)


@pytest.mark.parametrize("seed", range(12))
def test_boxes_touch_the_picture_and_visibility_is_a_share(seed: int) -> None:
    (drawn,) = draw(seed, 1, people=12, moving=True)
    assert ((drawn.visibility >= 0) & (drawn.visibility <= 1)).all()
    assert (drawn.boxes[:, 2] > 0).all()
    assert (drawn.boxes[:, 0] < SIZE[0]).all()


def test_written_sequence_reads_back(tmp_path: Path) -> None:
    frames = draw(7, 3, people=8)
    write_sequence(tmp_path / "street", frames, frame_rate=25.0)
    info = read_seqinfo(tmp_path / "street")
    assert (info.name, info.length, info.width, info.height) == ("street", 3, *SIZE)
    rows = read_mot(tmp_path / "street" / "gt" / "gt.txt")
    assert len(rows) == sum(len(drawn.identities) for drawn in frames)
    first = rows.where(rows.frames == 1)
    np.testing.assert_array_equal(first.ids, frames[0].identities + 1)
    np.testing.assert_allclose(first.ltwh[:, :2], frames[0].boxes[:, :2])
    np.testing.assert_array_equal(first.confidences, frames[0].visibility >= 0.1)
    pictures = list_pictures(info.image_folder)
    assert [path.name for path in pictures] == ["000001.jpg", "000002.jpg", "000003.jpg"]
    assert np.abs(read_picture(pictures[0]).astype(int) - frames[0].frame.image).mean() < 12
