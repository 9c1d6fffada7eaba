"""ETHZ: pedestrians seen from a pushed stereo rig; no identities."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from jde.data.prepare.layout import by_name, find, picture_named, pictures_below
from jde.data.prepare.prepared import UNKNOWN, Person, PreparedPicture, Selection
from jde.formats.number_table import read_text
from jde.structures.errors import InputError

logger = logging.getLogger(__name__)

EXPECTED = "one folder a sequence with its left pictures and an .idl annotation"
PUBLISHED = frozenset({1, 2, 3, 5, 7})
"""Numbers of the sequences in the published list: the others overlap MOT16's test set."""

LINE = re.compile(r'\s*"(?P<picture>[^"]+)"\s*(?::\s*(?P<boxes>.*?))?\s*[;.]?\s*')
BOX = re.compile(r"\(\s*([-\d.]+)\s*,\s*([-\d.]+)\s*,\s*([-\d.]+)\s*,\s*([-\d.]+)\s*\)")


def read_ethz(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield the annotated pictures of the sequences that don't overlap MOT16's test set.

    A folder whose name ends with a number (seq03, eth03) is taken if the published list has it;
    one without a number is taken.
    """
    for annotation in find(raw, "*.idl", EXPECTED):
        sequence = annotation.parent.name
        if not _is_published(sequence):
            logger.info("%s: left out, it overlaps MOT16's test set", sequence)
            continue
        pictures = by_name(pictures_below(annotation.parent))
        for name, people in read_idl(annotation):
            file = Path(name).name
            yield PreparedPicture(
                source=picture_named(pictures, file, annotation),
                name=f"{selection.folder}/{sequence}/images/{file}",
                people=people,
                part=selection.part(sequence),
            )


def read_idl(path: Path) -> Iterator[tuple[str, list[Person]]]:
    """Yield the pictures of an `.idl` file with the people in them.

    Raises:
        InputError: A line is no picture with boxes; it is named.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        match = LINE.fullmatch(line)
        boxes = (match["boxes"] or "") if match else ""
        found = BOX.findall(boxes)
        if match is None or len(found) != boxes.count("("):
            raise InputError(f'{path}, line {number}: expected "picture": (x1, y1, x2, y2), ...')
        yield match["picture"], [_person([float(side) for side in box]) for box in found]


def _person(corners: list[float]) -> Person:
    # Some boxes are drawn from the right or from below.
    left, right = sorted(corners[0::2])
    top, bottom = sorted(corners[1::2])
    return Person(UNKNOWN, left, top, right - left, bottom - top)


def _is_published(sequence: str) -> bool:
    number = re.search(r"(\d+)$", sequence)
    return number is None or int(number[1]) in PUBLISHED
