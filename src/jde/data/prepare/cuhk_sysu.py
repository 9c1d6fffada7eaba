"""CUHK-SYSU: street snaps and film stills for person search."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jde.data.prepare.layout import existing
from jde.data.prepare.matlab import entries, read_matlab
from jde.data.prepare.prepared import UNKNOWN, Person, PreparedPicture, Selection
from jde.structures.errors import InputError

EXPECTED = "Image/SSM/*.jpg and annotation/{Images,Person,pool}.mat, as CUHK-SYSU has them"

Box = tuple[float, float, float, float]


def read_cuhk_sysu(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield all pictures; those of the official gallery (`pool.mat`) are validation.

    Identities are the numbers of the official names (p17 is 17), as in the published labels.
    """
    folder = existing(raw / "Image" / "SSM", EXPECTED)
    identities = _identities(existing(raw / "annotation" / "Person.mat", EXPECTED))
    gallery = set(entries(read_matlab(existing(raw / "annotation" / "pool.mat", EXPECTED), "pool")))
    images = existing(raw / "annotation" / "Images.mat", EXPECTED)
    for image in entries(read_matlab(images, "Img")):
        name = image["imname"]
        boxes = dict.fromkeys(map(_box, entries(image["box"])), UNKNOWN)
        yield PreparedPicture(
            source=existing(folder / name, EXPECTED),
            name=f"{selection.folder}/images/{name}",
            people=[Person(number, *box) for box, number in (boxes | identities[name]).items()],
            part="val" if name in gallery else "train",
        )


def _identities(path: Path) -> defaultdict[str, dict[Box, int]]:
    found: defaultdict[str, dict[Box, int]] = defaultdict(dict)
    for person in entries(read_matlab(path, "Person")):
        number = re.fullmatch(r"p(\d+)", person["idname"])
        if number is None:
            raise InputError(f"{path}: {person['idname']!r} is no name of a person such as p17")
        for scene in entries(person["scene"]):
            found[scene["imname"]][_box(scene)] = int(number[1])
    return found


def _box(appearance: dict[str, Any]) -> Box:
    left, top, width, height = map(float, appearance["idlocate"])
    return left, top, width, height
