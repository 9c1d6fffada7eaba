"""What users export: COCO and COCO-VID, CVAT, YOLO."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jde.data.prepare.coco import read_coco
from jde.data.prepare.cvat import read_cvat
from jde.data.prepare.yolo import read_yolo
from jde.structures.errors import InputError

FIRST, SECOND, THIRD = (
    "0.200000 0.350000 0.200000 0.500000",
    "0.050000 0.050000 0.100000 0.100000",
    "0.750000 0.500000 0.500000 1.000000",
)
"""Labels of the boxes (20, 10, 40, 50), (0, 0, 20, 10) and (100, 0, 100, 100)."""


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def coco_image(number: int, name: str, **video: int) -> dict[str, Any]:
    return {"id": number, "file_name": name, "width": 200, "height": 100, **video}


def coco_box(image: int, box: list[int], category: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": box, **more}


CATEGORIES = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]


def test_coco_takes_pictures_with_people(
    tmp_path: Path, picture: Callable[..., Path], prepare: Callable[..., dict[str, str]]
) -> None:
    raw = tmp_path / "coco"
    for folder in ("train2017", "val2017"):
        picture(raw / folder / f"{folder[0]}1.jpg")
        picture(raw / folder / f"{folder[0]}2.jpg")
        images = [coco_image(number, f"{folder[0]}{number}.jpg") for number in (1, 2)]
        boxes = [
            coco_box(1, [20, 10, 40, 50], iscrowd=0),
            coco_box(1, [0, 0, 200, 100], iscrowd=1),
            coco_box(2, [0, 0, 20, 10], category=3, iscrowd=0),
        ]
        content = {"images": images, "annotations": boxes, "categories": CATEGORIES}
        write_json(raw / "annotations" / f"instances_{folder}.json", content)
    write_json(raw / "annotations" / "captions_train2017.json", {"images": []})
    assert prepare(read_coco, raw) == {
        "SET/labels_with_ids/train/t1.txt": f"0 -1 {FIRST}\n",
        "SET/labels_with_ids/val/v1.txt": f"0 -1 {FIRST}\n",
        "set.train": "SET/images/train/t1.jpg\n",
        "set.val": "SET/images/val/v1.jpg\n",
    }


def test_coco_keeps_classes_on_request_in_the_order_asked_for(
    tmp_path: Path, picture: Callable[..., Path], prepare: Callable[..., dict[str, str]]
) -> None:
    picture(tmp_path / "coco" / "1.jpg")
    boxes = [coco_box(1, [20, 10, 40, 50]), coco_box(1, [0, 0, 20, 10], category=3)]
    content = {"images": [coco_image(1, "1.jpg")], "annotations": boxes, "categories": CATEGORIES}
    write_json(tmp_path / "coco" / "export.json", content)
    asked = ("Car", "person")
    label = "SET/labels_with_ids/train/1.txt"
    kept = prepare(read_coco, tmp_path / "coco", classes=asked, keep_classes=True)
    assert kept[label] == f"1 -1 {FIRST}\n0 -1 {SECOND}\n"
    merged = prepare(read_coco, tmp_path / "coco", classes=asked)
    assert merged[label] == f"0 -1 {FIRST}\n0 -1 {SECOND}\n"


@pytest.mark.parametrize("key", ["track_id", "instance_id"])
def test_coco_vid_numbers_tracks_by_video_and_keeps_empty_frames(
    key: str, tmp_path: Path, picture: Callable[..., Path], prepare: Callable[..., dict[str, str]]
) -> None:
    raw = tmp_path / "vid"
    names = ["a/000001.jpg", "a/000002.jpg", "b/000001.jpg"]
    for name in names:
        picture(raw / "images" / name)
    content = {
        "videos": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
        "images": [
            coco_image(number, name, video_id=1 if name < "b" else 2, frame_id=number)
            for number, name in enumerate(names)
        ],
        "annotations": [
            coco_box(0, [20, 10, 40, 50], **{key: 5}),
            coco_box(0, [0, 0, 20, 10], attributes={key: 6}),
            coco_box(2, [100, 0, 100, 100], **{key: 5}),
        ],
        "categories": CATEGORIES,
    }
    write_json(raw / "export.json", content)
    assert prepare(read_coco, raw, held_out=("b",)) == {
        "SET/labels_with_ids/train/a/000001.txt": f"0 0 {FIRST}\n0 1 {SECOND}\n",
        "SET/labels_with_ids/train/a/000002.txt": "",
        "SET/labels_with_ids/val/b/000001.txt": f"0 2 {THIRD}\n",
        "set.train": "SET/images/train/a/000001.jpg\nSET/images/train/a/000002.jpg\n",
        "set.val": "SET/images/val/b/000001.jpg\n",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"export.json, line 1: is no JSON"),
        ('{"images": []}', r"export.json: is no COCO annotation \(KeyError\('categories'\)\)"),
        (
            json.dumps(
                {
                    "images": [coco_image(1, "1.jpg")],
                    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, "wide"]}],
                    "categories": CATEGORIES,
                }
            ),
            r"export.json: is no COCO annotation \(ValueError\(.*'wide'",
        ),
        (
            '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "car"}]}',
            r"has no class pedestrian or .* --classes: car",
        ),
    ],
)
def test_coco_says_what_is_wrong_with_a_file(
    content: str,
    message: str,
    tmp_path: Path,
    picture: Callable[..., Path],
    prepare: Callable[..., dict[str, str]],
) -> None:
    picture(tmp_path / "1.jpg")
    (tmp_path / "export.json").write_text(content)
    with pytest.raises(InputError, match=message):
        prepare(read_coco, tmp_path / "export.json")


def test_coco_names_a_missing_picture(
    tmp_path: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    content = {
        "images": [coco_image(1, "gone.jpg")],
        "annotations": [coco_box(1, [0, 0, 9, 9])],
        "categories": CATEGORIES,
    }
    write_json(tmp_path / "export.json", content)
    with pytest.raises(InputError, match=r"export.json: its picture gone.jpg is missing"):
        prepare(read_coco, tmp_path)


def cvat_box(frame: int, corners: tuple[float, ...], outside: int = 0) -> str:
    sides = zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True)
    text = " ".join(f'{side}="{value:.2f}"' for side, value in sides)
    return (
        f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" {text} z_order="0"/>'
    )


@pytest.fixture
def cvat(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    """CVAT for video 1.1: one person with a gap between key frames, one car, one of two frames."""
    raw = tmp_path / "cvat" / "street"
    for frame in range(4):
        picture(raw / "images" / f"frame_{frame:06}.PNG")
    walker = [
        cvat_box(0, (20, 10, 60, 60)),
        cvat_box(2, (120, 10, 160, 60)),
        cvat_box(3, (120, 10, 160, 60), outside=1),
    ]
    late = [cvat_box(2, (0, 0, 20, 10)), cvat_box(3, (100, 0, 200, 100))]
    car = [cvat_box(0, (0, 0, 20, 10))]
    tracks = "".join(
        f'<track id="{number}" label="{label}" source="manual">{"".join(boxes)}</track>'
        for number, (label, boxes) in enumerate(
            [("Pedestrian", walker), ("car", car), ("Pedestrian", late)]
        )
    )
    (raw / "annotations.xml").write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
        f"<meta><task><size>4</size><mode>interpolation</mode></task></meta>{tracks}</annotations>"
    )
    return raw


def test_cvat_tracks_become_identities_and_gaps_are_filled(
    cvat: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    labels = {
        0: f"0 0 {FIRST}\n",
        1: "0 0 0.450000 0.350000 0.200000 0.500000\n",
        2: f"0 0 0.700000 0.350000 0.200000 0.500000\n0 1 {SECOND}\n",
        3: f"0 1 {THIRD}\n",
    }
    texts = prepare(read_cvat, cvat)
    assert texts.pop("set.train").splitlines() == [
        f"SET/images/street/frame_00000{frame}.PNG" for frame in range(4)
    ]
    assert texts == {
        f"SET/labels_with_ids/street/frame_00000{frame}.txt": text for frame, text in labels.items()
    }


def test_cvat_images_have_boxes_without_identity(
    tmp_path: Path, picture: Callable[..., Path], prepare: Callable[..., dict[str, str]]
) -> None:
    raw = tmp_path / "task"
    picture(raw / "images" / "one.jpg")
    picture(raw / "images" / "two.jpg")
    (raw / "annotations.xml").write_text(
        '<annotations><version>1.1</version><image id="0" name="one.jpg" width="200" height="100">'
        '<box label="person" xtl="20" ytl="10" xbr="60" ybr="60"/></image></annotations>'
    )
    texts = prepare(read_cvat, tmp_path)
    assert texts["SET/labels_with_ids/task/one.txt"] == f"0 -1 {FIRST}\n"
    assert texts["SET/labels_with_ids/task/two.txt"] == ""


def test_cvat_keeps_classes_on_request(cvat: Path, prepare: Callable[..., dict[str, str]]) -> None:
    texts = prepare(read_cvat, cvat, classes=("pedestrian", "Car"), keep_classes=True)
    first = texts["SET/labels_with_ids/street/frame_000000.txt"]
    assert first == f"0 0 {FIRST}\n1 1 {SECOND}\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<annotations>", "", r"annotations.xml: is no readable XML"),
        ('label="Pedestrian"', 'label="rider"', r"no class .*--classes: car, rider"),
        (
            'frame="3"',
            'frame="9"',
            r"annotations.xml: frame 4 is annotated, its picture is missing",
        ),
        ('xtl="20.00"', "", r"annotations.xml: is no CVAT 1.1 export \(KeyError\('xtl'\)\)"),
    ],
)
def test_cvat_says_what_is_wrong(
    old: str, new: str, message: str, cvat: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    file = cvat / "annotations.xml"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(InputError, match=message):
        prepare(read_cvat, cvat)


@pytest.fixture
def yolo(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    """Two folders of a YOLO set; the track is in the last column, class 1 is the person."""
    raw = tmp_path / "yolo"
    (raw / "labels" / "train" / "cam1").mkdir(parents=True)
    (raw / "labels" / "val").mkdir(parents=True)
    for name in ("train/cam1/1", "train/cam1/2", "val/1"):
        picture(raw / "images" / f"{name}.jpg")
    picture(raw / "images" / "train" / "unlabelled.jpg")
    (raw / "labels" / "train" / "cam1" / "1.txt").write_text(f"1 {FIRST} 7\n0 {SECOND} 8\n")
    (raw / "labels" / "train" / "cam1" / "2.txt").write_text("")
    (raw / "labels" / "val" / "1.txt").write_text(f"1 {THIRD} 7\n1 {FIRST} -1\n")
    (raw / "data.yaml").write_text("path: .\nnames:\n  0: bicycle\n  1: person\n")
    return raw


def test_yolo_keeps_classes_on_request(yolo: Path, prepare: Callable[..., dict[str, str]]) -> None:
    texts = prepare(read_yolo, yolo, classes=("person", "bicycle"), keep_classes=True)
    assert texts["SET/labels_with_ids/train/cam1/1.txt"] == f"0 0 {FIRST}\n1 1 {SECOND}\n"


def test_yolo_with_tracks(yolo: Path, prepare: Callable[..., dict[str, str]]) -> None:
    assert prepare(read_yolo, yolo) == {
        "SET/labels_with_ids/train/cam1/1.txt": f"0 0 {FIRST}\n",
        "SET/labels_with_ids/train/cam1/2.txt": "",
        "SET/labels_with_ids/val/1.txt": f"0 1 {THIRD}\n0 -1 {FIRST}\n",
        "set.train": "SET/images/train/cam1/1.jpg\nSET/images/train/cam1/2.jpg\n",
        "set.val": "SET/images/val/1.jpg\n",
    }


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (f"0 {FIRST}", f"0 -1 {FIRST}"),
        (f"0 9 {FIRST}", f"0 0 {FIRST}"),
        (f"0 -1 {FIRST}", f"0 -1 {FIRST}"),
        (f"0 {FIRST} 9", f"0 0 {FIRST}"),
    ],
)
def test_yolo_labels_beside_the_pictures_in_every_column_order(
    line: str,
    label: str,
    tmp_path: Path,
    picture: Callable[..., Path],
    prepare: Callable[..., dict[str, str]],
) -> None:
    picture(tmp_path / "raw" / "frame.jpg").with_suffix(".txt").write_text(line)
    assert prepare(read_yolo, tmp_path / "raw")["SET/labels_with_ids/frame.txt"] == f"{label}\n"


def test_yolo_with_an_unclear_track_column_is_refused(
    tmp_path: Path, picture: Callable[..., Path], prepare: Callable[..., dict[str, str]]
) -> None:
    picture(tmp_path / "raw" / "frame.jpg").with_suffix(".txt").write_text("0 1 0.5 0.5 0.5 1\n")
    with pytest.raises(InputError, match=r"frame.txt: neither the second nor the last"):
        prepare(read_yolo, tmp_path / "raw")


def test_yolo_without_labels_says_what_is_expected(
    tmp_path: Path, picture: Callable[..., Path], prepare: Callable[..., dict[str, str]]
) -> None:
    picture(tmp_path / "raw" / "images" / "frame.jpg")
    with pytest.raises(InputError, match=r"labels: not found; expected images/\*\*/NAME.jpg"):
        prepare(read_yolo, tmp_path / "raw")
