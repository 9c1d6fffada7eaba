"""MOTChallenge folders: MOT15, MOT16, MOT17, MOT20 and everything laid out like them."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from jde.data.prepare.layout import existing, missing
from jde.data.prepare.prepared import Person, PreparedPicture, Selection, SetReader
from jde.formats.mot_text import NO_CLASS, PEDESTRIAN, MotRows, read_mot
from jde.formats.seqinfo import FILE_NAME, PICTURE_FOLDER, read_seqinfo
from jde.imaging.picture_file import list_pictures
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

logger = logging.getLogger(__name__)

EXPECTED = "sequence folders with img1/ and gt/gt.txt, as MOTChallenge distributes them"


def reader(suffix: str = "") -> SetReader:
    """Return a reader of the sequences whose names end with `suffix`."""
    return partial(read_sequences, suffix=suffix)


def read_sequences(raw: Path, selection: Selection, suffix: str = "") -> Iterator[PreparedPicture]:
    """Yield every frame of every sequence with ground truth: by name, those held out at the end.

    Rows marked 0 and other classes are left out, as in the published lists; of classes that were
    asked for all rows are taken, but for pedestrians marked 0. Identities run on from 1 over all
    sequences.
    """
    numbers: defaultdict[tuple[str, int], int] = defaultdict(count(1).__next__)
    sequences = find_sequences(raw, suffix)
    # Held out last, so that the numbers of the training list have no holes.
    for sequence in sorted(sequences, key=lambda one: selection.part(one.name)):
        yield from _read_sequence(sequence, selection, numbers)


def find_sequences(raw: Path, suffix: str = "") -> list[Path]:
    """Return the sequence folders with ground truth at or below `raw`.

    Raises:
        InputError: There is none.
    """
    train = existing(raw, EXPECTED) / "train"
    truths = ground_truths(train if train.is_dir() else raw)
    sequences = sorted({path.parent.parent for path in truths}, key=lambda folder: folder.name)
    if not sequences:
        raise missing(raw / "*" / "gt" / "gt.txt", EXPECTED)
    chosen = [folder for folder in sequences if folder.name.endswith(suffix)]
    if not chosen:
        raise InputError(
            f"{raw}: none of its {len(sequences)} sequences ends with {suffix}; take the full "
            "download of the set, or 'jde prepare mot' to use all of them"
        )
    return chosen


def ground_truths(folder: Path) -> list[Path]:
    """Return the `gt/gt.txt` files at or below a folder."""
    # Alone, a recursive search passes by sequences that are links to folders elsewhere.
    patterns = ("gt/gt.txt", "*/gt/gt.txt", "**/gt/gt.txt")
    return sorted({path for pattern in patterns for path in folder.glob(pattern)})


def kept_rows(truth: MotRows, classes: set[int]) -> MotRows:
    """Return the rows to learn from, by identity and within it by frame."""
    kept = truth.where(truth.counts(classes) & np.isin(truth.classes, [*classes, NO_CLASS]))
    return kept.where(np.lexsort((kept.frames, kept.ids)))


def _read_sequence(
    sequence: Path, selection: Selection, numbers: defaultdict[tuple[str, int], int]
) -> Iterator[PreparedPicture]:
    kinds = _class_numbers(selection)
    truth = kept_rows(read_mot(sequence / "gt" / "gt.txt"), set(kinds))
    people = defaultdict(list)
    columns = (truth.frames, truth.ids, truth.classes, truth.ltwh)
    for frame, identity, kind, box in zip(*(column.tolist() for column in columns), strict=True):
        person = Person.of(numbers[sequence.name, identity], box, kinds.get(kind, 0))
        people[frame].append(person)
    folder, size = _pictures_of(sequence)
    target = f"{selection.folder}/images/train/{sequence.name}/{folder.name}"
    for picture in list_pictures(folder):
        yield PreparedPicture(
            source=picture,
            name=f"{target}/{picture.name}",
            people=people.pop(_frame_number(picture), []),
            part=selection.part(sequence.name),
            size=size,
        )
    if people:
        logger.warning("%s: %d frames with boxes have no picture", sequence.name, len(people))


def _class_numbers(selection: Selection) -> dict[int, int]:
    try:
        return {int(number): kind for number, kind in selection.kinds([str(PEDESTRIAN)]).items()}
    except ValueError as error:
        raise InputError(
            f"--classes {' '.join(selection.classes)}: MOTChallenge classes are numbers"
        ) from error


def _pictures_of(sequence: Path) -> tuple[Path, Size | None]:
    if (sequence / FILE_NAME).is_file():
        info = read_seqinfo(sequence)
        return existing(info.image_folder, EXPECTED), (info.width, info.height)
    return existing(sequence / PICTURE_FOLDER, EXPECTED), None


def _frame_number(picture: Path) -> int:
    try:
        return int(picture.stem)
    except ValueError as error:
        raise InputError(
            f"{picture}: pictures of a sequence are named by frame number, such as 000001.jpg"
        ) from error
