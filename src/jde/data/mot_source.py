"""MOTChallenge sequences as training pictures, read as they were downloaded."""

import logging
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from jde.data.class_column import OTHER, ClassColumn
from jde.data.picture_source import Annotation, PictureSource
from jde.formats.mot_text import NO_CLASS, PEDESTRIAN, MotRows, read_mot
from jde.formats.number_table import line_of_row
from jde.formats.seqinfo import PICTURE_FOLDER, is_sequence, read_seqinfo
from jde.imaging.picture_file import list_pictures, read_picture
from jde.structures.boxes import ltwh_to_corners
from jde.structures.errors import InputError
from jde.structures.frame import size_of
from jde.structures.letterbox import Size

logger = logging.getLogger(__name__)

GROUND_TRUTH = Path("gt") / "gt.txt"
WHOLE = (0.0, 1.0)
PEDESTRIANS_ALONE = ClassColumn()


def find_sequences(path: Path, pattern: str = "*") -> list[Path]:
    """Return the sequence at `path`, or the sequences in it whose names match `pattern`.

    Raises:
        InputError: There is none.
    """
    if not path.exists():
        raise InputError(
            f"{path}: does not exist; give a MOTChallenge sequence or a folder of them"
        )
    if is_labelled(path):
        return [path]
    found = sorted(one for one in path.glob(pattern) if is_labelled(one)) if path.is_dir() else []
    if not found:
        raise InputError(
            f"{path}: no MOTChallenge sequence (a folder with seqinfo.ini, or with "
            f"{PICTURE_FOLDER} and {GROUND_TRUTH}) is here"
        )
    return found


def is_labelled(folder: Path) -> bool:
    """Return whether a folder is a sequence: one's own often lack seqinfo.ini."""
    return is_sequence(folder) or (
        (folder / PICTURE_FOLDER).is_dir() and (folder / GROUND_TRUTH).is_file()
    )


def picture_folder(folder: Path) -> Path:
    """Return where the pictures of a sequence are.

    Raises:
        InputError: Its seqinfo.ini is malformed.
    """
    return read_seqinfo(folder).image_folder if is_sequence(folder) else folder / PICTURE_FOLDER


def mot_source(
    folder: Path,
    *,
    name: str = "",
    frames: tuple[float, float] = WHOLE,
    min_visibility: float = 0.0,
    network: Size | None = None,
    column: ClassColumn = PEDESTRIANS_ALONE,
) -> PictureSource:
    """Return the pictures of one sequence with the people that count in its ground truth.

    Args:
        folder: The sequence: `gt/gt.txt`, the pictures and, as a rule, `seqinfo.ini`.
        name: What reports call the source; the sequence's name where empty.
        frames: Part of the sequence in time, from 0 to 1: (0, 0.67) holds back the last third.
        min_visibility: Leave out people of whom less is visible; files without visibility keep all.
        network: Size that pictures are read for.
        column: What the numbers in the class column mean; without numbers 1 is the first class.
            Rows of others are left out, those of files without the column are of the first.
            Of classes that `numbers` name all rows count, but for pedestrians marked 0. Boxes that
            show nobody, flat or wholly out of the picture, are left out with a warning.

    Raises:
        InputError: A file is missing or malformed, or no picture lies in `frames`.
    """
    files = _pictures_of(folder)
    own_name, size = _name_and_size(folder, files)
    pictures = _part(list(_numbered(files)), frames)
    truth = read_mot(folder / GROUND_TRUTH)
    kept, classes = _who_counts(truth, pictures, min_visibility, column)
    kept &= _shows_somebody(truth, kept, size, folder / GROUND_TRUTH)
    rows, classes = truth.where(kept), classes[kept]
    numbers, identities = np.unique(rows.ids, return_inverse=True)
    shares = ltwh_to_corners(rows.ltwh) / np.tile(size, 2)
    order = np.argsort(rows.frames, kind="stable")
    bounds = np.searchsorted(rows.frames[order], [[one, one + 1] for one in pictures])
    return PictureSource.of(
        name or own_name,
        (
            Annotation(path, *(part[order[first:end]] for part in (shares, identities, classes)))
            for path, (first, end) in zip(pictures.values(), bounds.reshape(-1, 2), strict=True)
        ),
        identity_names=tuple(f"{own_name}-{number:05d}" for number in numbers.tolist()),
        size=size,
        network=network,
    )


def _pictures_of(folder: Path) -> list[Path]:
    images = picture_folder(folder)
    if not images.is_dir():
        raise InputError(f"{images}: the pictures of the sequence are missing")
    if not (folder / GROUND_TRUTH).is_file():
        raise InputError(
            f"{folder / GROUND_TRUTH}: is missing; leave the sequence out, or add who is in it"
        )
    return list_pictures(images)


def _name_and_size(folder: Path, pictures: list[Path]) -> tuple[str, Size]:
    if is_sequence(folder):
        info = read_seqinfo(folder)
        return info.name, (info.width, info.height)
    if not pictures:
        raise InputError(f"{folder / PICTURE_FOLDER}: holds no pictures")
    return folder.resolve().name, size_of(read_picture(pictures[0]))


def _who_counts(
    rows: MotRows, frames: Collection[int], min_visibility: float, column: ClassColumn
) -> tuple[Bool[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    classes = column.read(rows.classes, range(PEDESTRIAN, PEDESTRIAN + column.count))
    # The older benchmarks have no classes: all of their people are pedestrians.
    classes = np.where(rows.classes == NO_CLASS, 0, classes)
    kept = rows.counts(column.numbers) & (rows.visibilities >= min_visibility) & (classes != OTHER)
    kept &= np.isin(rows.frames, list(frames))
    return kept, classes


def _shows_somebody(
    rows: MotRows, counting: Bool[np.ndarray, " n"], size: Size, path: Path
) -> Bool[np.ndarray, " n"]:
    """Return which boxes can be learned from, and warn of those that count and can't."""
    corners = ltwh_to_corners(rows.ltwh)
    outside = (corners[:, 2:] <= 0) | (corners[:, :2] >= size)
    flat = rows.flat()
    away = (outside[:, 0] | outside[:, 1]) & ~flat
    for what, fault in (("without width or height", flat), ("wholly out of the picture", away)):
        found = np.flatnonzero(fault & counting)
        if len(found):
            logger.warning(
                "%s: %d of %d boxes are %s and left out, the first in line %d; mend or delete them",
                path,
                len(found),
                counting.sum(),
                what,
                line_of_row(path, int(found[0])),
            )
    return ~(flat | away)


def _numbered(pictures: list[Path]) -> Iterator[tuple[int, Path]]:
    named_by_number = all(path.stem.isdecimal() for path in pictures)
    for position, path in enumerate(pictures, 1):
        yield int(path.stem) if named_by_number else position, path


def _part(pictures: list[tuple[int, Path]], frames: tuple[float, float]) -> dict[int, Path]:
    first, end = (round(share * len(pictures)) for share in frames)
    return dict(pictures[first:end])
