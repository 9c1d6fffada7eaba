"""Sets without identities: CityPersons, ETHZ, CrowdHuman."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from jde.data.prepare.citypersons import read_citypersons
from jde.data.prepare.crowdhuman import read_crowdhuman
from jde.data.prepare.ethz import read_ethz
from jde.structures.errors import InputError

STEMS = {"train": ["aachen_000000_000019", "aachen_000001_000019"], "val": ["ulm_000002_000019"]}
# Class, box, instance, visible box: an ignore region, a group, a rider and a sitting person.
BOXES: dict[str, list[list[int]]] = {
    "aachen_000000_000019": [
        [0, 0, 0, 9, 9, 0, 0, 0, 9, 9],
        [5, 0, 0, 9, 9, 0, 0, 0, 9, 9],
        [2, 20, 10, 40, 50, 25000, 20, 10, 4, 5],
        [3, 0, 0, 20, 10, 24001, 0, 0, 20, 10],
    ],
    "aachen_000001_000019": [[0, 0, 0, 9, 9, 0, 0, 0, 9, 9]],
    "ulm_000002_000019": [[1, 100, 0, 100, 100, 24000, 100, 0, 10, 10]],
}
LABELS = ["ignore", "pedestrian", "rider", "sitting person", "person (other)", "person group"]
CITYPERSONS = {
    "SET/labels_with_ids/train/aachen/aachen_000000_000019_leftImg8bit.txt": (
        "0 -1 0.200000 0.350000 0.200000 0.500000\n0 -1 0.050000 0.050000 0.100000 0.100000\n"
    ),
    "SET/labels_with_ids/val/ulm/ulm_000002_000019_leftImg8bit.txt": (
        "0 -1 0.750000 0.500000 0.500000 1.000000\n"
    ),
    "set.train": "SET/images/train/aachen/aachen_000000_000019_leftImg8bit.png\n",
    "set.val": "SET/images/val/ulm/ulm_000002_000019_leftImg8bit.png\n",
}


@pytest.fixture
def cityscapes(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    raw = tmp_path / "cityscapes"
    for part, stems in STEMS.items():
        for stem in stems:
            folder = raw / "leftImg8bit" / part / stem.split("_")[0]
            picture(folder / f"{stem}_leftImg8bit.png")
    return raw


def test_citypersons_from_matlab_annotations(
    cityscapes: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    for part, stems in STEMS.items():
        pictures: Any = np.empty((1, len(stems)), object)
        for position, stem in enumerate(stems):
            fields = [(name, "O") for name in ("cityname", "im_name", "bbs")]
            row = (stem.split("_")[0], f"{stem}_leftImg8bit.png", np.array(BOXES[stem], np.uint16))
            pictures[0, position] = np.array([[row]], fields)
        (cityscapes / "annotations").mkdir(exist_ok=True)
        savemat(cityscapes / "annotations" / f"anno_{part}.mat", {f"anno_{part}_aligned": pictures})
    assert prepare(read_citypersons, cityscapes) == CITYPERSONS


def test_citypersons_from_json_annotations(
    cityscapes: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    for part, stems in STEMS.items():
        for stem in stems:
            folder = cityscapes / "gtBboxCityPersons" / part / stem.split("_")[0]
            folder.mkdir(parents=True, exist_ok=True)
            objects = [
                {"instanceId": 1, "bbox": box[1:5], "bboxVis": box[6:], "label": LABELS[box[0]]}
                for box in BOXES[stem]
            ]
            annotation = {"imgHeight": 100, "imgWidth": 200, "objects": objects}
            (folder / f"{stem}_gtBboxCityPersons.json").write_text(json.dumps(annotation))
    assert prepare(read_citypersons, cityscapes) == CITYPERSONS


@pytest.mark.parametrize(
    ("absent", "message"),
    [("leftImg8bit", "leftImg8bit: not found"), ("none", "anno_train.mat: not found")],
)
def test_citypersons_in_another_layout_says_what_is_expected(
    absent: str, message: str, cityscapes: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    raw = cityscapes if absent == "none" else cityscapes.parent / "empty"
    raw.mkdir(exist_ok=True)
    with pytest.raises(InputError, match=rf"{message}; expected leftImg8bit/{{train,val}}"):
        prepare(read_citypersons, raw)


@pytest.fixture
def ethz(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    raw = tmp_path / "ETHZ"
    for sequence in ("seq03", "seq04", "bahnhof"):
        for frame in range(3):
            picture(raw / sequence / "left" / f"image_0000000{frame}_0.png")
        (raw / sequence / "annot.idl").write_text(
            '"left/image_00000000_0.png": (20, 10, 60, 60):-1, (20, 10, 0, 0):-1;\n'
            '"left/image_00000002_0.png";\n'
            '"left/image_00000001_0.png": (100, 0, 200, 100).\n'
        )
    return raw


def test_ethz_leaves_out_what_overlaps_the_test_set_of_mot16(
    ethz: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    labels = {
        0: "0 -1 0.200000 0.350000 0.200000 0.500000\n0 -1 0.050000 0.050000 0.100000 0.100000\n",
        1: "0 -1 0.750000 0.500000 0.500000 1.000000\n",
        2: "",
    }
    sequences = ("bahnhof", "seq03")
    expected = {
        f"SET/{sequence}/labels_with_ids/image_0000000{frame}_0.txt": text
        for sequence in sequences
        for frame, text in labels.items()
    }
    pictures = [
        f"SET/{sequence}/images/image_0000000{frame}_0.png\n"
        for sequence in sequences
        for frame in (0, 2, 1)
    ]
    assert prepare(read_ethz, ethz) == {**expected, "set.train": "".join(pictures)}


@pytest.mark.parametrize("line", ["left/image.png: (1, 2, 3, 4)", '"left/image.png": (1, 2, 3)'])
def test_ethz_names_a_malformed_line(
    line: str, ethz: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    (ethz / "seq03" / "annot.idl").write_text(f'"left/image_00000000_0.png";\n{line}\n')
    with pytest.raises(InputError, match=r"seq03/annot.idl, line 2: expected \"picture\""):
        prepare(read_ethz, ethz)


def test_ethz_names_a_missing_picture(ethz: Path, prepare: Callable[..., dict[str, str]]) -> None:
    (ethz / "seq03" / "left" / "image_00000001_0.png").unlink()
    with pytest.raises(
        InputError, match=r"annot.idl: the picture image_00000001_0.png it mentions"
    ):
        prepare(read_ethz, ethz)


@pytest.fixture
def crowdhuman(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    raw = tmp_path / "CrowdHuman"
    boxes = [
        {"tag": "person", "fbox": [20, 10, 40, 50], "vbox": [20, 10, 4, 5], "extra": {"box_id": 0}},
        {"tag": "person", "fbox": [0, 0, 20, 10], "extra": {"ignore": 1}},
        {"tag": "mask", "fbox": [0, 0, 20, 10], "extra": {"ignore": 1}},
        # Whole bodies reach out of the picture, here so far that nothing is left to learn.
        {"tag": "person", "fbox": [-100, 0, 40, 50], "extra": {}},
        {"tag": "person", "fbox": [150, 40, 100, 100], "extra": {}},
    ]
    for part, identifier in {
        "train": "273271,c9db000d5146c15",
        "val": "273278,c9db000d5146c15",
    }.items():
        picture(raw / "Images" / f"{identifier}.jpg")
        line = json.dumps({"ID": identifier, "gtboxes": boxes})
        (raw / f"annotation_{part}.odgt").write_text(f"{line}\n")
    return raw


def test_crowdhuman_takes_full_bodies_without_identity(
    crowdhuman: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    labels = "0 -1 0.200000 0.350000 0.200000 0.500000\n0 -1 1.000000 0.900000 0.500000 1.000000\n"
    assert prepare(read_crowdhuman, crowdhuman) == {
        "SET/labels_with_ids/train/273271,c9db000d5146c15.txt": labels,
        "SET/labels_with_ids/val/273278,c9db000d5146c15.txt": labels,
        "set.train": "SET/images/train/273271,c9db000d5146c15.jpg\n",
        "set.val": "SET/images/val/273278,c9db000d5146c15.jpg\n",
    }


@pytest.mark.parametrize("line", ["{", "[]", '{"ID": "273271,c9db000d5146c15"}'])
def test_crowdhuman_names_a_malformed_line(
    line: str, crowdhuman: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    with (crowdhuman / "annotation_train.odgt").open("a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(InputError, match=r"train.odgt, line 3: is no CrowdHuman annotation"):
        prepare(read_crowdhuman, crowdhuman)


def test_crowdhuman_without_annotations_says_what_is_expected(
    tmp_path: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    with pytest.raises(InputError, match=r"annotation_train.odgt: not found; expected annotation"):
        prepare(read_crowdhuman, tmp_path)


@pytest.mark.parametrize("entry", ['{"label": "rider"}', '{"label": "rider", "bbox": ["a"]}', "1"])
def test_citypersons_names_a_malformed_annotation(
    entry: str, cityscapes: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    folder = cityscapes / "gtBboxCityPersons" / "train" / "aachen"
    folder.mkdir(parents=True)
    file = folder / "aachen_000000_000019_gtBboxCityPersons.json"
    file.write_text(f'{{"objects": [{entry}]}}')
    with pytest.raises(InputError, match=rf"{file.name}: is no CityPersons annotation"):
        prepare(read_citypersons, cityscapes)
