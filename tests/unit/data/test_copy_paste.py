"""People put into ordinary training pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jde.data.config import DataConfig, SourceConfig, build_joint_source, build_loader
from jde.data.copy_paste import CopyPaste, CopyPasteConfig
from jde.data.sample import Labels, Sample
from jde.data.sampling import EpochPlan
from jde.data.scenes.cutouts import Cutouts, write_cutout
from jde.formats.seqinfo import SequenceInfo, write_seqinfo
from jde.imaging.picture_file import write_picture
from jde.structures.errors import InputError

SIZE = (320, 160)
NAMES = ("street-00007", "stranger")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people of one bright colour each, opaque from edge to edge."""
    for name in NAMES:
        bright = np.full((90, 30, 3), 255, np.uint8)
        write_cutout(tmp_path / "people" / name / "1.png", bright, np.full((90, 30), 255, np.uint8))
    return tmp_path / "people"


def street(*boxes: tuple[float, ...], kinds: tuple[int, ...] = ()) -> Sample:
    image = np.full((SIZE[1], SIZE[0], 3), 20, np.uint8)
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    numbers = np.arange(len(corners), dtype=np.int64)
    return Sample(image, Labels(corners, numbers, np.array(kinds, np.int64)), Path("street.png"))


def always(folder: Path, **entries: object) -> CopyPaste:
    config = CopyPasteConfig(probability=1.0, people=(1, 2), **entries)  # type: ignore[arg-type]
    return CopyPaste(config, Cutouts.read(folder), {NAMES[0]: 7})


def test_labels_enclose_the_people_put_in(folder: Path) -> None:
    put_in, seen = always(folder), 0
    for seed in range(30):
        sample = put_in(street(), np.random.default_rng(seed))
        painted = sample.image.min(axis=2) > 100
        labelled = np.zeros_like(painted)
        for left, top, right, bottom in sample.labels.boxes.astype(int).tolist():
            part = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
            labelled[part] = True
            assert painted[part].mean() > 0.85
            seen += 1
        assert (painted & ~labelled).sum() <= 0.02 * max(painted.sum(), 1)
        assert set(sample.labels.identities.tolist()) <= {7, -1}
    assert seen > 20


def test_who_is_painted_over_loses_the_label_and_nearer_people_are_not_painted_over(
    folder: Path,
) -> None:
    put_in, dropped = always(folder), 0
    # A crowd of small people far away and a large one in front.
    far = [(float(x), 40.0, x + 6.0, 58.0) for x in range(4, 316, 8)]
    near = (100.0, 60.0, 160.0, 200.0)
    for seed in range(40):
        sample = put_in(street(*far, near), np.random.default_rng(seed))
        painted = sample.image.min(axis=2) > 100
        kept = {tuple(box) for box in sample.labels.boxes.tolist()}
        assert near in kept
        assert painted[60:, 100:160].mean() < 0.25
        for box in far:
            left, top, right, bottom = map(int, box)
            share = painted[top:bottom, left:right].mean()
            # In between the soft edges of cut-outs decide.
            if share < 0.65 or share > 0.99:
                assert (box in kept) == (share < 0.65)
            dropped += share > 0.99
    assert dropped > 0


def test_classes_of_who_is_there_stay_and_people_are_put_in_as_people(folder: Path) -> None:
    sample = always(folder)(street((10, 20, 60, 40), kinds=(3,)), np.random.default_rng(0))
    assert sample.labels.classes[0] == 3
    assert not sample.labels.classes[1:].any()


def test_people_cut_from_a_training_source_keep_their_identity(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{frame},{who},40,5,10,30,1,1,1\n" for frame in (1, 2) for who in (7, 9))
    place = tmp_path / "street"
    pictures = place / "img1"
    pictures.mkdir(parents=True)
    for number in (1, 2):
        write_picture(pictures / f"{number:06d}.png", np.zeros((50, 100, 3), np.uint8))
    (place / "gt").mkdir()
    (place / "gt" / "gt.txt").write_text(rows)
    write_seqinfo(place, SequenceInfo("street", pictures, 10.0, 2, 100, 50), suffix=".png")
    data = DataConfig(sources=(SourceConfig(kind="mot", path=str(place)),))
    assert build_joint_source(data, (64, 32)).lent_numbers() == {NAMES[0]: 0, "street-00009": 1}


def test_it_is_off_without_cutouts_and_repeats_itself_with_them(
    folder: Path, tmp_path: Path
) -> None:
    for name in ("images", "labels_with_ids"):
        (tmp_path / "set" / name).mkdir(parents=True)
    image = np.full((64, 128, 3), 20, np.uint8)
    write_picture(tmp_path / "set" / "images" / "a.png", image)
    (tmp_path / "set" / "labels_with_ids" / "a.txt").write_text("0 0 0.5 0.5 0.1 0.5\n")
    plain = DataConfig(sources=(SourceConfig(path=str(tmp_path / "set")),), workers=0)
    source = build_joint_source(plain, (64, 32))

    def batches(**entries: object) -> list[list[list[float]]]:
        put_in = CopyPasteConfig(**entries)  # type: ignore[arg-type]
        augmentation = replace(plain.augmentation, copy_paste=put_in)
        config = replace(plain, augmentation=augmentation)
        loader = build_loader(config, source, EpochPlan(1, 1, 0), (64, 32))
        return [batch.boxes.tolist() for epoch in range(8) for batch in loader.epoch(epoch)]

    off = batches(probability=1.0)
    assert off == batches()
    assert max(map(len, off)) == 1
    on = batches(probability=1.0, cutouts=str(folder))
    assert on == batches(probability=1.0, cutouts=str(folder))
    assert max(map(len, on)) > 1


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"people": (3, 1)}, "people must"),
        ({"people": (0, 1)}, "people must"),
        ({"probability": 2.0}, "probability must"),
    ],
)
def test_impossible_settings_are_refused(entries: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        CopyPasteConfig(**entries)  # type: ignore[arg-type]
