"""CVAT exports, "CVAT for video 1.1" and "CVAT for images 1.1", saved with their images."""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

from jde.data.prepare.layout import by_name, existing, find, picture_named, pictures_below
from jde.data.prepare.person_classes import PERSON_NAMES, unknown_classes
from jde.data.prepare.prepared import UNKNOWN, Person, PreparedPicture, Selection
from jde.structures.errors import InputError

EXPECTED = "annotations.xml and images/, as CVAT exports a task with 'Save images' ticked"
VIDEO_FRAME = re.compile(r"frame_(\d+)")


class FramePictures:
    """The pictures of a video task by frame, counted from 0.

    Exports of videos name them frame_000000; those of picture folders keep the folder's names,
    and frames are then their order.

    Args:
        pictures: Picture files in the order of their names.
        file: The annotation, for errors.
    """

    def __init__(self, pictures: list[Path], file: Path) -> None:
        matches = [VIDEO_FRAME.fullmatch(picture.stem) for picture in pictures]
        numbers = (int(match[1]) if match else order for order, match in enumerate(matches))
        self._pictures = dict(zip(numbers, pictures, strict=True))
        self._file = file

    def __getitem__(self, frame: int) -> Path:
        if frame not in self._pictures:
            raise InputError(f"{self._file}: frame {frame} is annotated, its picture is missing")
        return self._pictures[frame]


def read_cvat(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield every picture of every export at or below `raw`.

    Tracks of a video become identities, which run on from 0 over all exports; boxes of single
    pictures have none. Frames between two key frames are filled in where the export left them out.
    """
    first = count()
    files = find(raw, "annotations.xml", EXPECTED)
    # Held out last, so that the numbers of the training list have no holes.
    for file in sorted(files, key=lambda one: selection.part(one.parent.name)):
        root = _parse(file)
        wanted = selection.kinds(PERSON_NAMES)
        labels = {element.get("label", "") for element in root.iter() if element.get("label")}
        if labels and not wanted.keys() & {label.lower() for label in labels}:
            raise unknown_classes(file, wanted, labels)
        pictures = pictures_below(existing(file.parent / "images", EXPECTED))
        try:
            if root.find("image") is not None:
                people = _people_of_images(root, wanted, pictures, file)
            else:
                people = _people_of_tracks(root, wanted, FramePictures(pictures, file), first)
            yield from _prepared(pictures, people, file.parent.name, selection)
        except InputError:
            raise
        except (KeyError, ValueError) as error:
            raise InputError(f"{file}: is no CVAT 1.1 export ({error!r})") from error


def _parse(file: Path) -> ET.Element:
    try:
        return ET.parse(file).getroot()  # noqa: S314 (expat limits entity expansion)
    except (ET.ParseError, OSError) as error:
        raise InputError(f"{file}: is no readable XML ({error})") from error


def _prepared(
    pictures: list[Path], people: dict[Path, list[Person]], export: str, selection: Selection
) -> Iterator[PreparedPicture]:
    for picture in pictures:
        yield PreparedPicture(
            source=picture,
            name=f"{selection.folder}/images/{export}/{picture.name}",
            people=people.get(picture, []),
            part=selection.part(export),
        )


def _people_of_images(
    root: ET.Element, wanted: dict[str, int], pictures: list[Path], file: Path
) -> dict[Path, list[Person]]:
    named = by_name(pictures)
    return {
        picture_named(named, Path(image.attrib["name"]).name, file): [
            _person(UNKNOWN, wanted[box.attrib["label"].lower()], *_corners(box))
            for box in image.iter("box")
            if box.attrib["label"].lower() in wanted
        ]
        for image in root.iter("image")
    }


def _people_of_tracks(
    root: ET.Element,
    wanted: dict[str, int],
    pictures: FramePictures,
    first: Iterator[int],
) -> dict[Path, list[Person]]:
    people = defaultdict(list)
    for track in root.iter("track"):
        if track.attrib["label"].lower() in wanted:
            identity, kind = next(first), wanted[track.attrib["label"].lower()]
            for frame, corners in _positions(track):
                people[pictures[frame]].append(_person(identity, kind, *corners))
    return people


def _positions(track: ET.Element) -> Iterator[tuple[int, list[float]]]:
    """Yield the frames in which the person is there, with its corners."""
    boxes = [
        (int(box.attrib["frame"]), box.get("outside") == "1", _corners(box))
        for box in track.iter("box")
    ]
    for (frame, outside, corners), (following, _, target) in pairwise([*boxes, *boxes[-1:]]):
        if not outside:
            for step in range(max(following - frame, 1)):
                share = step / (following - frame) if step else 0.0
                yield (
                    frame + step,
                    [
                        start + share * (end - start)
                        for start, end in zip(corners, target, strict=True)
                    ],
                )


def _corners(box: ET.Element) -> list[float]:
    return [float(box.attrib[side]) for side in ("xtl", "ytl", "xbr", "ybr")]


def _person(
    identity: int, kind: int, left: float, top: float, right: float, bottom: float
) -> Person:
    return Person(identity, left, top, right - left, bottom - top, kind)
