from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.real_data import DATA, needs_data

from jde.data.class_column import ClassColumn
from jde.data.label_source import label_source
from jde.data.mask_source import mask_boxes, mask_source
from jde.data.mot_source import find_sequences, mot_source
from jde.data.sample import Labels
from jde.imaging.picture_file import write_picture
from jde.structures.errors import InputError

RNG = np.random.default_rng(0)


def picture(path: Path, size: tuple[int, int] = (100, 50), level: int = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, np.full((size[1], size[0], 3), level, np.uint8))
    return path


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def sequence(folder: Path, ground_truth: str, frames: int = 6) -> Path:
    for number in range(1, frames + 1):
        picture(folder / "img1" / f"{number:06d}.png")
    text(folder / "gt" / "gt.txt", ground_truth)
    text(
        folder / "seqinfo.ini",
        f"[Sequence]\nname=TINY\nimDir=img1\nframeRate=10\nseqLength={frames}\n"
        "imWidth=100\nimHeight=50\nimExt=.png\n",
    )
    return folder


def test_list_file_names_pictures_below_its_root(tmp_path: Path) -> None:
    root = tmp_path / "images"  # a folder above the data must not be renamed
    picture(root / "street" / "images" / "a.png")
    picture(root / "street" / "images" / "b.jpg")
    labels = root / "street" / "labels_with_ids"
    text(labels / "a.txt", "0 4 0.5 0.5 0.2 0.4\n0 -1 0.1 0.5 0.4 1.0\n")
    text(labels / "b.txt", "")
    listed = text(tmp_path / "street.train", "street/images/b.jpg\nstreet/images/a.png\n\n")
    source = label_source(listed, root=root)
    assert source.name == "street"
    assert (len(source), source.identity_count) == (2, 5)
    assert len(source.load(0, RNG).labels) == 0
    sample = source.load(1, RNG)
    assert sample.path.name == "a.png"
    np.testing.assert_allclose(sample.labels.boxes, [[40, 15, 60, 35], [-10, 0, 30, 50]], atol=1e-5)
    assert sample.labels.identities.tolist() == [4, -1]


def test_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name in ("b/2", "b/10", "a/1"):
        picture(tmp_path / "images" / f"{name}.png")
        text(tmp_path / "labels" / f"{name}.txt", "0 -1 0.5 0.5 0.5 0.5\n")
    source = label_source(tmp_path, name="mine")
    assert source.name == "mine"
    assert source.identity_count == 0
    assert [path.stem for path in source.pictures] == ["1", "10", "2"]


def test_missing_label_file_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "labels_with_ids").mkdir()
    with pytest.raises(InputError, match=r"labels_with_ids/a\.txt: is missing; write an empty"):
        label_source(tmp_path)


@pytest.mark.parametrize("line", ["0 1 nan 0.5 0.1 0.1", "0 1 0.5 0.5 0.1", "0 1 7 0.5 0.1 0.1"])
def test_malformed_label_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    picture(tmp_path / "images" / "a.png")
    text(tmp_path / "labels_with_ids" / "a.txt", f"0 1 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(InputError, match=r"a\.txt, line 2: "):
        label_source(tmp_path)


def test_first_column_of_labels_is_the_class_for_networks_of_several(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    rows = "".join(f"{kind} {kind} 0.5 0.5 0.1 0.{kind + 1}\n" for kind in (0, 2, 1, 2))
    text(tmp_path / "labels_with_ids" / "a.txt", rows)

    def labels(column: ClassColumn) -> Labels:
        return label_source(tmp_path, column=column).load(0, RNG).labels

    assert labels(ClassColumn()).classes.tolist() == [0, 0, 0, 0]
    assert labels(ClassColumn(3)).classes.tolist() == [0, 2, 1, 2]
    chosen = labels(ClassColumn(2, (2, 0)))
    assert chosen.classes.tolist() == [1, 0, 0]
    assert chosen.identities.tolist() == [0, 2, 2]
    assert labels(ClassColumn(1, (1,))).identities.tolist() == [1]
    with pytest.raises(InputError, match=r"a\.txt: holds class 2, the network has classes 0 to 1;"):
        labels(ClassColumn(2))
    with pytest.raises(InputError, match="a number for each of the network's 2 classes, got 1"):
        ClassColumn(2, (1,))


def test_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must hold the folders images and"):
        label_source(tmp_path)
    with pytest.raises(InputError, match="there is no such list file or folder"):
        label_source(tmp_path / "absent")


def test_boxes_that_show_nobody_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = sequence(
        tmp_path / "TINY",
        "1,1,-10,5,20,30,1,1,1\n"  # reaches out, as whole bodies do
        "1,2,-40,-5,20,30,0,1,1\n"  # doesn't count anyway
        "\n"
        "1,3,10,5,-20,30,1,1,1\n"
        "1,4,10,5,20,0,1,1,1\n"
        "2,5,100,5,20,30,1,1,1\n",
    )
    source = mot_source(folder)
    assert (source.identity_count, len(source.identities)) == (1, 1)
    flat, away = caplog.messages
    assert "gt.txt: 2 of 4 boxes are without width or height and left out" in flat
    assert "the first in line 4; mend or delete them" in flat
    assert "gt.txt: 1 of 4 boxes are wholly out of the picture and left out" in away
    assert "the first in line 6" in away


def test_mot17_keeps_pedestrians_that_count(tmp_path: Path) -> None:
    folder = sequence(
        tmp_path / "TINY",
        "2,9,10,5,20,30,1,1,1.0\n"
        "1,9,8,5,20,30,1,1,0.3\n"
        "1,4,50,5,20,30,1,1,1.0\n"
        "1,5,50,5,20,30,0,1,1.0\n"  # marked as not to count
        "1,6,50,5,20,30,1,7,1.0\n",  # a standing person, a distractor
    )
    source = mot_source(folder)
    assert (source.name, len(source), source.identity_count) == ("TINY", 6, 2)
    first = source.load(0, RNG).labels
    np.testing.assert_allclose(first.boxes, [[8, 5, 28, 35], [50, 5, 70, 35]], atol=1e-5)
    assert first.identities.tolist() == [1, 0]
    assert source.load(1, RNG).labels.identities.tolist() == [1]
    assert len(source.load(5, RNG).labels) == 0
    assert len(mot_source(folder, min_visibility=0.5).load(0, RNG).labels) == 1


def test_mot_classes_are_numbered_from_one_or_as_they_are_told(tmp_path: Path) -> None:
    rows = "".join(f"1,{kind},10,5,20,30,1,{kind},1\n" for kind in (1, 2, 3))
    folder = sequence(tmp_path, rows)

    def labels(column: ClassColumn) -> Labels:
        return mot_source(folder, column=column).load(0, RNG).labels

    assert labels(ClassColumn(2)).classes.tolist() == [0, 1]
    cars = labels(ClassColumn(2, (1, 3)))
    np.testing.assert_array_equal(cars.classes, [0, 1])
    assert len(cars) == 2


def test_mot_classes_chosen_by_number_count_though_they_are_marked_as_not_scored(
    tmp_path: Path,
) -> None:
    rows = "".join(f"1,{place},10,5,20,30,0,{kind},1\n" for place, kind in enumerate((1, 3, 7)))
    folder = sequence(tmp_path, rows + "1,9,10,5,20,30,1,2,1\n")

    def classes(*numbers: int, count: int) -> list[int]:
        source = mot_source(folder, column=ClassColumn(count, numbers))
        return source.load(0, RNG).labels.classes.tolist()

    assert classes(1, 3, count=2) == [1]
    assert classes(7, count=1) == [0]
    assert classes(count=3) == [1]


def test_mot15_has_no_classes_and_ignores_confidence_zero(tmp_path: Path) -> None:
    folder = sequence(
        tmp_path, "1,3,10,5,20,30,1,-4.1,-7.3,0\n1,4,50,5,20,30,0,1.5,2.5,0\n1,8,0,0,9,9,1,0,0,0\n"
    )
    assert mot_source(folder).load(0, RNG).labels.identities.tolist() == [0, 1]


def test_part_of_a_sequence_has_identities_of_its_own(tmp_path: Path) -> None:
    rows = "".join(f"{frame},{frame},10,5,20,30,1,1,1\n" for frame in range(1, 7))
    folder = sequence(tmp_path, rows)
    head, tail = mot_source(folder, frames=(0.0, 0.67)), mot_source(folder, frames=(0.67, 1.0))
    assert [path.stem[-1] for path in head.pictures] == ["1", "2", "3", "4"]
    assert [path.stem[-1] for path in tail.pictures] == ["5", "6"]
    assert (head.identity_count, tail.identity_count) == (4, 2)
    assert tail.load(1, RNG).labels.identities.tolist() == [1]


def test_picture_of_another_size_than_the_sequence_is_refused(tmp_path: Path) -> None:
    folder = sequence(tmp_path, "1,1,10,5,20,30,1,1,1\n")
    picture(folder / "img1" / "000002.png", (60, 50))
    with pytest.raises(InputError, match=r"000002\.png: is 60x50 where 100x50 belongs"):
        mot_source(folder).load(1, RNG)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: does not exist; give a MOTChallenge sequence"):
        find_sequences(tmp_path / "nowhere")
    folder = sequence(tmp_path, "1,1,10,5,20,30,1,1,1\n")
    (folder / "gt" / "gt.txt").unlink()
    with pytest.raises(InputError, match=r"gt\.txt: is missing; leave the sequence out"):
        mot_source(folder)


def test_sequences_of_a_folder_are_found_by_name(tmp_path: Path) -> None:
    for name in ("MOT17-02-SDP", "MOT17-02-DPM", "MOT17-04-SDP"):
        sequence(tmp_path / name, "", frames=1)
    (tmp_path / "notes").mkdir()
    found = [folder.name for folder in find_sequences(tmp_path, "*-SDP")]
    assert found == ["MOT17-02-SDP", "MOT17-04-SDP"]
    assert find_sequences(tmp_path / found[0]) == [tmp_path / found[0]]
    with pytest.raises(InputError, match="no MOTChallenge sequence"):
        find_sequences(tmp_path / "notes")


def test_a_sequence_of_ones_own_needs_no_seqinfo(tmp_path: Path) -> None:
    folder = sequence(tmp_path / "street", "1,4,10,5,20,30,1,1,1\n2,4,12,5,20,30,1,1,1\n", frames=2)
    as_described = mot_source(folder)
    (folder / "seqinfo.ini").unlink()
    assert find_sequences(tmp_path) == [folder]
    source = mot_source(folder)
    assert (source.name, source.size) == ("street", as_described.size)
    assert [path.name for path in source.pictures] == ["000001.png", "000002.png"]
    np.testing.assert_array_equal(
        source.load(1, RNG).labels.boxes, as_described.load(1, RNG).labels.boxes
    )
    for path in source.pictures:
        path.unlink()
    with pytest.raises(InputError, match=r"img1: holds no pictures"):
        mot_source(folder)


def test_mask_gives_a_box_to_each_number() -> None:
    mask = np.zeros((6, 8), np.uint8)
    mask[1:4, 2:5] = 3
    mask[5, 7] = 1
    assert mask_boxes(mask).tolist() == [[7, 5, 8, 6], [2, 1, 5, 4]]
    assert mask_boxes(np.zeros((3, 3), np.uint8)).shape == (0, 4)


def test_masked_pictures_have_people_without_identity(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "masks").mkdir()
    mask = np.zeros((50, 100), np.uint8)
    mask[10:30, 20:40] = 1
    cv2.imwrite(str(tmp_path / "masks" / "a_mask.png"), mask)
    labels = mask_source(tmp_path).load(0, RNG).labels
    np.testing.assert_allclose(labels.boxes, [[20, 10, 40, 30]], atol=1e-5)
    assert labels.identities.tolist() == [-1]
    (tmp_path / "masks" / "a_mask.png").unlink()
    with pytest.raises(InputError, match=r"a\.png: has no mask"):
        mask_source(tmp_path)


@needs_data
def test_real_data_has_as_many_people_as_its_description_says() -> None:
    sequences = {
        "MOT17-09-a": (262, 2433, 17),
        "PETS09-S2L1-a": (300, 1700, 10),
        "ETH-Sunnyday-a": (177, 854, 18),
        "PRW-c6s1-a": (500, 862, 154),
    }
    for name, expected in sequences.items():
        source = mot_source(DATA / "sequences" / name)
        assert (len(source), len(source.identities), source.identity_count) == expected
    coco = label_source(DATA / "stills" / "coco-person")
    assert (len(coco), len(coco.identities), coco.identity_count) == (134, 604, 0)
