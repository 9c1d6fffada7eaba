"""CrowdHuman: web pictures of crowds with full-body boxes; no identities."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jde.data.prepare.layout import by_name, existing, missing, picture_named, pictures_below
from jde.data.prepare.prepared import UNKNOWN, Part, Person, PreparedPicture, Selection
from jde.formats.number_table import read_text
from jde.structures.errors import InputError

EXPECTED = "annotation_train.odgt (and annotation_val.odgt) and the unpacked Images/"
PARTS: tuple[Part, ...] = ("train", "val")


def read_crowdhuman(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield the pictures of the parts that are there; boxes marked to ignore are left out."""
    pictures = by_name(pictures_below(existing(raw, EXPECTED)))
    present = [part for part in PARTS if _annotation(raw, part).is_file()]
    if not present:
        raise missing(_annotation(raw, "train"), EXPECTED)
    for part in present:
        annotation = _annotation(raw, part)
        for number, line in enumerate(read_text(annotation).splitlines(), 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                file, people = f"{entry['ID']}.jpg", _people(entry)
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{annotation}, line {number}: is no CrowdHuman annotation ({error!r})"
                ) from error
            yield PreparedPicture(
                source=picture_named(pictures, file, annotation),
                name=f"{selection.folder}/images/{part}/{file}",
                people=people,
                part=part,
            )


def _annotation(raw: Path, part: Part) -> Path:
    return raw / f"annotation_{part}.odgt"


def _people(entry: dict[str, Any]) -> list[Person]:
    return [
        Person.of(UNKNOWN, map(float, box["fbox"]))
        for box in entry["gtboxes"]
        if box["tag"] == "person" and not box.get("extra", {}).get("ignore", 0)
    ]
