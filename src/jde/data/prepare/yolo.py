"""YOLO text exports: a label file a picture, with a track number in the last column or none."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import yaml
from jaxtyping import Float64

from jde.data.prepare.layout import existing, missing, pictures_below
from jde.data.prepare.person_classes import person_numbers
from jde.data.prepare.prepared import UNKNOWN, Part, Person, PreparedPicture, Selection
from jde.formats.number_table import read_table, read_text
from jde.structures.errors import InputError

EXPECTED = "images/**/NAME.jpg with labels/**/NAME.txt, or NAME.txt beside each picture"
VALIDATION_FOLDERS = frozenset({"test", "val", "valid", "validation"})
COLUMNS, COLUMNS_WITH_TRACK = 5, 6


def read_yolo(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield every picture that has a label file; folders val, valid and test validate.

    A sixth column is the track, either behind the box (YOLO tracking) or before it (the label
    format of JDE). Tracks are told apart by folder and run on from 0; -1 stays unknown.
    """
    labelled = [
        (picture, label)
        for picture in pictures_below(existing(raw, EXPECTED))
        if (label := _label_of(picture, raw)) is not None
    ]
    if not labelled:
        raise missing(raw / "labels", EXPECTED)
    classes = _person_classes(raw, selection)
    numbers: defaultdict[tuple[Path, int], int] = defaultdict(count().__next__)
    for picture, label in labelled:
        relative = picture.relative_to(raw)
        rows = _rows(label)
        yield PreparedPicture(
            source=picture,
            name=f"{selection.folder}/images/{_without_images(relative)}",
            people=[
                Person.of(
                    UNKNOWN if track < 0 else numbers[picture.parent, int(track)],
                    box,
                    classes[int(kind)],
                )
                for kind, track, *box in _left_upper(rows).tolist()
                if int(kind) in classes
            ],
            part=_part(relative, selection),
            relative=True,
        )


def _label_of(picture: Path, raw: Path) -> Path | None:
    parts = ["labels" if part == "images" else part for part in picture.relative_to(raw).parts]
    places = (raw.joinpath(*parts).with_suffix(".txt"), picture.with_suffix(".txt"))
    return next((place for place in places if place.is_file()), None)


def _rows(label: Path) -> Float64[np.ndarray, "n 6"]:
    """Return class, track, centre x and y, width and height."""
    table = read_table(label, columns=(COLUMNS, COLUMNS_WITH_TRACK))
    if table.shape[1] == COLUMNS:
        return np.insert(table, 1, UNKNOWN, axis=1)
    before, behind = (bool((table[:, column] % 1 == 0).all()) for column in (1, 5))
    if before == behind:
        raise InputError(
            f"{label}: neither the second nor the last of its six columns is clearly a track; "
            "one of the two must hold whole numbers"
        )
    return table if before else table[:, [0, 5, 1, 2, 3, 4]]


def _left_upper(rows: Float64[np.ndarray, "n 6"]) -> Float64[np.ndarray, "n 6"]:
    left_upper = rows[:, 2:4] - rows[:, 4:] / 2
    return np.concatenate([rows[:, :2], left_upper, rows[:, 4:]], axis=1)


def _person_classes(raw: Path, selection: Selection) -> dict[int, int]:
    for name in ("data.yaml", "dataset.yaml"):
        if (file := raw / name).is_file():
            return person_numbers(_yaml_names(file), selection, file)
    for name in ("classes.txt", "obj.names"):
        if (file := raw / name).is_file():
            names = dict(enumerate(read_text(file).split("\n")))
            return person_numbers(names, selection, file)
    if all(number.isdecimal() for number in selection.classes):
        return {int(number): kind for number, kind in selection.kinds(["0"]).items()}
    raise missing(raw / "data.yaml", "it (or classes.txt) to look up the names of --classes")


def _yaml_names(file: Path) -> dict[int, str]:
    try:
        names = yaml.safe_load(read_text(file))["names"]
        return dict(names if isinstance(names, dict) else enumerate(names))
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(f"{file}: holds no list 'names' of classes") from error


def _without_images(relative: Path) -> str:
    return "/".join(part for part in relative.parts if part != "images")


def _part(relative: Path, selection: Selection) -> Part:
    folders = set(relative.parts[:-1])
    if folders & VALIDATION_FOLDERS or folders & set(selection.held_out):
        return "val"
    return "train"
