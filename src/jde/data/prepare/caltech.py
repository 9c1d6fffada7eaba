"""Caltech Pedestrian: hours of driving in `.seq` containers, tracks in `.vbb` files."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from jde.data.prepare.layout import find
from jde.data.prepare.matlab import entries, read_matlab
from jde.data.prepare.prepared import Part, Person, PreparedPicture, Selection
from jde.data.prepare.seq_container import read_seq
from jde.structures.errors import InputError

logger = logging.getLogger(__name__)

EXPECTED = "setNN/VNNN.seq and annotations/setNN/VNNN.vbb, as the Caltech archives unpack"
PERSON = "person"
"""Other labels are groups (people), doubtful cases (person?) and false alarms (person-fa)."""
LAST_TRAINING_SET = "set05"


def read_caltech(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield the frames with people; set00 to set05 train, the others validate.

    Identities run on from 0 over all videos. The stored JPEG data are kept as they are.
    """
    videos = {_key(path): path for path in find(raw, "set??/V???.seq", EXPECTED)}
    annotations = {_key(path): path for path in find(raw, "set??/V???.vbb", EXPECTED)}
    if absent := sorted(annotations.keys() - videos.keys()):
        logger.warning(
            "%d annotated videos are not there: %s ...", len(absent), "/".join(absent[0])
        )
    numbers: defaultdict[tuple[str, str, int], int] = defaultdict(count().__next__)
    for (group, video), path in sorted(videos.items()):
        if (group, video) not in annotations:
            raise InputError(f"{path}: has no {group}/{video}.vbb; expected {EXPECTED}")
        people = read_vbb(annotations[group, video])
        part: Part = "train" if group <= LAST_TRAINING_SET else "val"
        for frame, jpeg in enumerate(read_seq(path)):
            if frame in people:
                yield PreparedPicture(
                    source=jpeg,
                    name=f"{selection.folder}/images/{group}_{video}_{frame}.jpg",
                    people=[
                        person._replace(identity=numbers[group, video, person.identity])
                        for person in people[frame]
                    ],
                    part=part,
                )


def read_vbb(path: Path) -> dict[int, list[Person]]:
    """Return the people by frame, counted from 0, with the file's own object numbers.

    Raises:
        InputError: The file can't be read or is no annotation.
    """
    annotation = read_matlab(path, "A")
    try:
        labels = entries(annotation["objLbl"])
        frames = enumerate(entries(annotation["objLists"]))
        people = {frame: _people(listed, labels) for frame, listed in frames}
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{path}: is no .vbb annotation ({error!r})") from error
    return {frame: found for frame, found in people.items() if found}


def _people(listed: Any, labels: list[str]) -> list[Person]:
    return [
        Person.of(int(entry["id"]), map(float, entry["pos"]))
        for entry in entries(listed)
        if labels[int(entry["id"]) - 1] == PERSON
    ]


def _key(path: Path) -> tuple[str, str]:
    return path.parent.name, path.stem
