"""COCO and COCO-VID files, of public sets or exported by an annotation tool."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from jde.data.prepare.layout import existing, missing, pictures_below, read_json
from jde.data.prepare.person_classes import person_numbers
from jde.data.prepare.prepared import UNKNOWN, Part, Person, PreparedPicture, Selection
from jde.structures.errors import InputError

EXPECTED = "a COCO file (annotations/*.json or *.json) and the pictures it names, at any depth"
TRACK_KEYS = ("track_id", "instance_id")
"""Names of a track's number: of most exporters, and of the COCO-VID files of published sets."""

Tracks = Callable[[Any, Any], int]
"""Numbers a track of a video: unknown where there is no track."""


def read_coco(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield the pictures with people, and of videos every frame.

    Files with `val` or `test` in their name validate. Crowd regions are left out. Tracks are
    told apart by video; identities run on from 0 over all files.
    """
    files = _annotation_files(raw)
    pictures = defaultdict(list)
    for path in pictures_below(raw if raw.is_dir() else raw.parent):
        pictures[path.name].append(path)
    numbers: defaultdict[tuple[Path, Any, Any], int] = defaultdict(count().__next__)
    for file in files:

        def number(video: Any, track: Any, file: Path = file) -> int:
            return UNKNOWN if track is None else numbers[file, video, track]

        try:
            yield from _read_file(file, selection, pictures, number)
        except InputError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{file}: is no COCO annotation ({error!r})") from error


def _annotation_files(raw: Path) -> list[Path]:
    if existing(raw, EXPECTED).is_file():
        return [raw]
    files = sorted([*raw.glob("*.json"), *raw.glob("annotations/*.json")])
    if not files:
        raise missing(raw / "annotations" / "*.json", EXPECTED)
    # The official download has captions and key points beside the boxes.
    return [file for file in files if file.name.startswith("instances_")] or files


def _read_file(
    file: Path, selection: Selection, pictures: dict[str, list[Path]], number: Tracks
) -> Iterator[PreparedPicture]:
    content = read_json(file)
    names = {entry["id"]: entry["name"] for entry in content["categories"]}
    classes = person_numbers(names, selection, file)
    videos = {entry["id"]: entry["name"] for entry in content.get("videos", [])}
    boxes = defaultdict(list)
    for entry in content["annotations"]:
        if entry["category_id"] in classes and not entry.get("iscrowd", 0):
            boxes[entry["image_id"]].append(entry)
    for image in content["images"]:
        video = image.get("video_id")
        if boxes[image["id"]] or video is not None:
            part = _part(file, selection, str(videos.get(video, video)))
            yield PreparedPicture(
                source=_picture(pictures, image["file_name"], file),
                name=f"{selection.folder}/images/{part}/{image['file_name']}",
                people=[
                    Person.of(
                        number(video, _track(entry)),
                        map(float, entry["bbox"]),
                        classes[entry["category_id"]],
                    )
                    for entry in boxes[image["id"]]
                ],
                part=part,
                size=(image["width"], image["height"]),
            )


def _part(file: Path, selection: Selection, video: str) -> Part:
    validates = any(word in file.stem.lower() for word in ("val", "test"))
    return "val" if validates else selection.part(video)


def _track(entry: dict[str, Any]) -> Any:
    places = (entry, entry.get("attributes") or {})
    return next((place[key] for place in places for key in TRACK_KEYS if key in place), None)


def _picture(pictures: dict[str, list[Path]], name: str, file: Path) -> Path:
    named = pictures.get(Path(name).name, [])
    found = [path for path in named if path.as_posix().endswith(f"/{name}")]
    if len(found) != 1:
        problem = "is missing" if not found else f"is there {len(found)} times: {found[0]}, ..."
        raise InputError(f"{file}: its picture {name} {problem}")
    return found[0]
