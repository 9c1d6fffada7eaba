"""CityPersons: people in the street scenes of Cityscapes; no identities."""

import re
from collections.abc import Iterator
from pathlib import Path

from jde.data.prepare.layout import existing, find, read_json
from jde.data.prepare.matlab import entries, read_matlab, rows
from jde.data.prepare.prepared import UNKNOWN, Part, Person, PreparedPicture, Selection
from jde.structures.errors import InputError

EXPECTED = (
    "leftImg8bit/{train,val}/CITY/*.png of Cityscapes and beside it either anno_train.mat and "
    "anno_val.mat or gtBboxCityPersons/{train,val}/CITY/*.json"
)
PARTS: tuple[Part, ...] = ("train", "val")
PEOPLE_CLASSES = frozenset({1, 2, 3, 4})
"""Pedestrians, riders, sitting people, unusual postures; 0 is to ignore, 5 is a group."""
PEOPLE_LABELS = frozenset({"pedestrian", "rider", "sitting person", "person (other)"})
COLUMNS = 10


def read_citypersons(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield the pictures with people of both parts; full-body boxes, no identities."""
    pictures = find(raw, "leftImg8bit", EXPECTED)[0]
    boxes_as_json = next(iter(sorted(raw.rglob("gtBboxCityPersons"))), None)
    for part in PARTS:
        labelled = _from_json(boxes_as_json / part) if boxes_as_json else _from_matlab(raw, part)
        for stem, people in labelled:
            if people:
                file = f"{part}/{stem.split('_')[0]}/{stem}_leftImg8bit.png"
                yield PreparedPicture(
                    source=existing(pictures / file, EXPECTED),
                    name=f"{selection.folder}/images/{file}",
                    people=people,
                    part=part,
                )


def _from_json(folder: Path) -> Iterator[tuple[str, list[Person]]]:
    for path in find(folder, "*_gtBboxCityPersons.json", EXPECTED):
        try:
            people = [
                Person.of(UNKNOWN, map(float, entry["bbox"]))
                for entry in read_json(path)["objects"]
                if entry["label"] in PEOPLE_LABELS
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: is no CityPersons annotation ({error!r})") from error
        yield path.name.removesuffix("_gtBboxCityPersons.json"), people


def _from_matlab(raw: Path, part: Part) -> Iterator[tuple[str, list[Person]]]:
    path = find(raw, f"anno_{part}.mat", EXPECTED)[0]
    for picture in entries(read_matlab(path, f"anno_{part}_aligned")):
        boxes = [box for box in rows(picture["bbs"], COLUMNS) if int(box[0]) in PEOPLE_CLASSES]
        stem = re.sub(r"_leftImg8bit(\.png)?$", "", picture["im_name"])
        yield stem, [Person.of(UNKNOWN, box[1:5]) for box in boxes]
