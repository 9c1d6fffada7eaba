from collections.abc import Callable
from pathlib import Path

import pytest

from jde.data.prepare.motchallenge import read_sequences, reader
from jde.structures.errors import InputError


@pytest.fixture
def mot17(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    """MOT17 as it unpacks: every sequence three times, ground truth sorted by identity."""
    truths = {
        "MOT17-02": (
            "1,1,20,10,40,50,1,1,0.5\n"
            "2,1,-30,10,40,50,1,1,0.5\n"
            "1,2,20,10,40,50,0,1,1\n"  # Marked to ignore.
            "1,3,0,0,50,50,0,7,1\n"  # A standing vehicle; MOTChallenge scores pedestrians only.
            "2,5,100,0,100,100,1,1,0.1\n"
        ),
        "MOT17-04": "1,5,0,0,200,100,1,1,1\n",
    }
    for sequence, truth in truths.items():
        for detector in ("DPM", "FRCNN", "SDP"):
            folder = tmp_path / "MOT17" / "train" / f"{sequence}-{detector}"
            (folder / "gt").mkdir(parents=True)
            (folder / "gt" / "gt.txt").write_text(truth)
            (folder / "seqinfo.ini").write_text(
                f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate=30\nseqLength=3\n"
                "imWidth=200\nimHeight=100\nimExt=.jpg\n"
            )
            for frame in range(1, 4):
                picture(folder / "img1" / f"{frame:06}.jpg")
    picture(tmp_path / "MOT17" / "test" / "MOT17-01-SDP" / "img1" / "000001.jpg")
    return tmp_path / "MOT17"


def test_labels_of_mot17_are_the_published_ones(
    mot17: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    texts = prepare(reader("-SDP"), mot17)
    labels = "SET/labels_with_ids/train"
    pictures = "SET/images/train"
    assert texts == {
        f"{labels}/MOT17-02-SDP/img1/000001.txt": "0 1 0.200000 0.350000 0.200000 0.500000\n",
        f"{labels}/MOT17-02-SDP/img1/000002.txt": (
            "0 1 -0.050000 0.350000 0.200000 0.500000\n0 2 0.750000 0.500000 0.500000 1.000000\n"
        ),
        # A frame without people has an empty file, as a missing one would be an error.
        f"{labels}/MOT17-02-SDP/img1/000003.txt": "",
        f"{labels}/MOT17-04-SDP/img1/000001.txt": "0 3 0.500000 0.500000 1.000000 1.000000\n",
        f"{labels}/MOT17-04-SDP/img1/000002.txt": "",
        f"{labels}/MOT17-04-SDP/img1/000003.txt": "",
        "set.train": "".join(
            f"{pictures}/MOT17-{sequence}-SDP/img1/00000{frame}.jpg\n"
            for sequence in ("02", "04")
            for frame in (1, 2, 3)
        ),
    }


def test_held_out_sequences_go_into_the_validation_list(
    mot17: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    texts = prepare(reader("-SDP"), mot17, held_out=("MOT17-04-SDP",))
    assert texts["set.train"].count("\n") == texts["set.val"].count("\n") == 3
    assert "MOT17-04-SDP" in texts["set.val"]


def test_mot15_sorted_by_frame_and_without_classes_or_seqinfo(
    tmp_path: Path, picture: Callable[..., Path], prepare: Callable[..., dict[str, str]]
) -> None:
    folder = tmp_path / "raw" / "PETS09-S2L1"
    (folder / "gt").mkdir(parents=True)
    (folder / "gt" / "gt.txt").write_text(
        "1,7,20,10,40,50,1,-1,-1,-1\n1,4,0,0,20,10,1,-1,-1,-1\n1,9,0,0,20,10,0,-1,-1,-1\n"
        "2,7,20,10,40,50,1,-1,-1,-1\n"
    )
    for frame in (1, 2):
        picture(folder / "img1" / f"{frame:06}.jpg")
    texts = prepare(read_sequences, folder.parent)
    assert texts["SET/labels_with_ids/train/PETS09-S2L1/img1/000001.txt"] == (
        "0 1 0.050000 0.050000 0.100000 0.100000\n0 2 0.200000 0.350000 0.200000 0.500000\n"
    )
    assert texts["SET/labels_with_ids/train/PETS09-S2L1/img1/000002.txt"] == (
        "0 2 0.200000 0.350000 0.200000 0.500000\n"
    )


def test_other_classes_can_be_taken_by_number(
    mot17: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    texts = prepare(reader("-SDP"), mot17, classes=("7",))
    assert texts["SET/labels_with_ids/train/MOT17-02-SDP/img1/000001.txt"] == (
        "0 1 0.125000 0.250000 0.250000 0.500000\n"
    )


def test_classes_are_kept_in_the_order_asked_for(
    mot17: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    texts = prepare(reader("-SDP"), mot17, classes=("7", "1"), keep_classes=True)
    rows = texts["SET/labels_with_ids/train/MOT17-02-SDP/img1/000001.txt"].splitlines()
    assert "0 2 0.125000 0.250000 0.250000 0.500000" in rows
    assert [row[0] for row in rows] == ["1", "0"]


def test_classes_by_name_are_refused(mot17: Path, prepare: Callable[..., dict[str, str]]) -> None:
    with pytest.raises(InputError, match="--classes car: MOTChallenge classes are numbers"):
        prepare(read_sequences, mot17, classes=("car",))


def test_a_download_without_the_wanted_detector_says_what_to_do(
    mot17: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    with pytest.raises(InputError, match=r"none of its 6 sequences ends with -POI.*prepare mot"):
        prepare(reader("-POI"), mot17)


@pytest.mark.parametrize("folder", ["", "absent"])
def test_another_layout_says_what_is_expected(
    folder: str, tmp_path: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    with pytest.raises(InputError, match=r"not found; expected sequence folders with img1/"):
        prepare(read_sequences, tmp_path / folder)


def test_a_picture_of_another_size_than_seqinfo_says_is_named(
    mot17: Path, picture: Callable[..., Path], prepare: Callable[..., dict[str, str]]
) -> None:
    picture(mot17 / "train" / "MOT17-04-SDP" / "img1" / "000002.jpg", (100, 50))
    with pytest.raises(InputError, match=r"04-SDP/img1/000002.jpg: is 100x50 .* say 200x100"):
        prepare(reader("-SDP"), mot17)


def test_sequences_may_be_links_to_folders_elsewhere(
    mot17: Path, tmp_path: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "street").symlink_to(mot17 / "train" / "MOT17-04-SDP")
    texts = prepare(read_sequences, linked)
    assert texts["set.train"].splitlines()[0] == "SET/images/train/street/img1/000001.jpg"
