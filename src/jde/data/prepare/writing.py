"""One writer for all sets: pictures, label files, list files, resumption and counts."""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Literal

import cv2
import numpy as np

from jde.data.prepare.prepared import Part, Person, PreparedPicture
from jde.formats.draft import writing
from jde.formats.jde_labels import CENTRE_MARGIN, MAX_SIDE, Labels, label_path, write_labels
from jde.formats.number_table import read_text
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

PicturesBy = Literal["copy", "hardlink", "symlink"]
CHUNK = 64
"""Pictures in work at once: bounds the memory of sets that come out of containers."""
MAX_THREADS = 8
DECIMALS = 6
PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class WrittenPicture:
    """What became of one picture.

    Attributes:
        name: Path below the data root.
        part: List in which it stands.
        identities: Identity of every box written, -1 where unknown.
        dropped: Boxes left out, as they lie outside the picture or have no area.
        kept: Whether picture and labels were there already, as they should be.
    """

    name: str
    part: Part
    identities: list[int]
    dropped: int
    kept: bool


@dataclass(slots=True)
class PartCounts:
    """What one list of a prepared set holds."""

    names: list[str] = field(default_factory=list)
    boxes: int = 0
    unknown: int = 0
    dropped: int = 0
    kept: int = 0
    identities: set[int] = field(default_factory=set)

    def add(self, picture: WrittenPicture) -> None:
        """Count one picture."""
        self.names.append(picture.name)
        self.boxes += len(picture.identities)
        self.unknown += picture.identities.count(-1)
        self.dropped += picture.dropped
        self.kept += picture.kept
        self.identities |= set(picture.identities) - {-1}


def write_set(
    pictures: Iterable[PreparedPicture],
    root: Path,
    list_name: str,
    *,
    by: PicturesBy = "copy",
    on_picture: Callable[[], None] = lambda: None,
) -> dict[Part, PartCounts]:
    """Write pictures, labels and then the list files below `root`; return what they hold.

    What is there already with the same content is left alone, so that a broken run can be
    started again. Every picture is decoded once, to measure it and to find damaged ones.

    Args:
        pictures: The labelled pictures of a set.
        root: Data root.
        list_name: Name of the lists: `root/NAME.train` and, where the set has one, `NAME.val`.
        by: How pictures that are files get to `root`.
        on_picture: Called after each picture.

    Raises:
        InputError: A picture is damaged, or its size is not the one its annotations state.
    """
    parts: defaultdict[Part, PartCounts] = defaultdict(PartCounts)
    root.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MAX_THREADS)) as pool:
        for chunk in _chunks(_uniquely_named(pictures)):
            for written in pool.map(lambda picture: _write(picture, root, by), chunk):
                parts[written.part].add(written)
                on_picture()
    for part, counts in parts.items():
        text = "".join(f"{name}\n" for name in counts.names)
        _replace(root / f"{list_name}.{part}", text.encode())
    return dict(sorted(parts.items()))


def _uniquely_named(pictures: Iterable[PreparedPicture]) -> Iterator[PreparedPicture]:
    names = set()
    for picture in pictures:
        name = _unambiguous(picture.name)
        if name in names:
            raise InputError(f"{name}: two pictures of the set have this name")
        names.add(name)
        yield replace(picture, name=name)


def _chunks(pictures: Iterable[PreparedPicture]) -> Iterator[list[PreparedPicture]]:
    iterator = iter(pictures)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _write(picture: PreparedPicture, root: Path, by: PicturesBy) -> WrittenPicture:
    target = root / picture.name
    labels, dropped = _labels(picture, _checked_size(picture))
    target.parent.mkdir(parents=True, exist_ok=True)
    picture_kept = _place_picture(picture.source, target, by)
    labels_kept = _place_labels(labels, root / label_path(Path(picture.name)))
    return WrittenPicture(
        name=picture.name,
        part=picture.part,
        identities=labels[:, 1].astype(np.int64).tolist(),
        dropped=dropped,
        kept=picture_kept and labels_kept,
    )


def _unambiguous(name: str) -> str:
    """Return the name with the word `images` in it once, as labels are found by replacing it."""
    folder, separator, rest = name.partition("/images/")
    if "images" in folder or ".." in PurePosixPath(name).parts:
        raise InputError(
            f"{name}: a picture must stay below its folder, whose name must not hold 'images'"
        )
    return folder + separator + rest.replace("images", "pictures")


def _checked_size(picture: PreparedPicture) -> Size:
    if isinstance(picture.source, Path):
        content, origin = picture.source.read_bytes(), str(picture.source)
    else:
        content, origin = picture.source, picture.name
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if decoded is None:
        raise InputError(f"{origin}: is no picture or is damaged; download or export it again")
    size = decoded.shape[1], decoded.shape[0]
    if picture.size is not None and size != tuple(picture.size):
        raise InputError(
            f"{origin}: is {size[0]}x{size[1]} but its annotations say "
            f"{picture.size[0]}x{picture.size[1]}"
        )
    return size


def _labels(picture: PreparedPicture, size: Size) -> tuple[Labels, int]:
    """Return the label rows that can be learned from and the number of those that can't."""
    people = np.array(picture.people, np.float64).reshape(-1, len(Person._fields))
    scale = np.array((1, 1) if picture.relative else size, np.float64)
    sides = people[:, 3:5] / scale
    centres = (people[:, 1:3] + people[:, 3:5] / 2) / scale
    boxes = np.round(np.concatenate([centres, sides], axis=1), DECIMALS)
    inside = ((boxes[:, :2] >= -CENTRE_MARGIN) & (boxes[:, :2] <= 1 + CENTRE_MARGIN)).all(axis=1)
    solid = ((boxes[:, 2:] > 0) & (boxes[:, 2:] <= MAX_SIDE)).all(axis=1)
    rows = np.concatenate([people[:, 5:], people[:, :1], boxes], axis=1)[inside & solid]
    return rows, len(people) - len(rows)


def _place_labels(labels: Labels, target: Path) -> bool:
    partial = target.with_name(target.name + PARTIAL)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_labels(partial, labels)
        if target.is_file() and read_text(target) == read_text(partial):
            partial.unlink()
            return True
        partial.replace(target)
    return False


def _place_picture(source: Path | bytes, target: Path, by: PicturesBy) -> bool:
    if isinstance(source, bytes):
        if target.is_file() and target.read_bytes() == source:
            return True
        _replace(target, source)
        return False
    if _is_in_place(source, target, by):
        return True
    partial = target.with_name(target.name + PARTIAL)
    with writing(target):
        partial.unlink(missing_ok=True)
        if by == "symlink":
            partial.symlink_to(source.absolute())
        elif by == "hardlink":
            partial.hardlink_to(source)
        else:
            shutil.copy2(source, partial)
        partial.replace(target)
    return False


def _is_in_place(source: Path, target: Path, by: PicturesBy) -> bool:
    if by == "symlink":
        return target.is_symlink() and target.readlink() == source.absolute()
    if target.is_symlink() or not target.is_file():
        return False
    if target.samefile(source):
        # A copy must not share its content with the source.
        return by == "hardlink"
    return by == "copy" and target.read_bytes() == source.read_bytes()


def _replace(target: Path, content: bytes) -> None:
    """Write a file so that it is either the old or the new one, never half."""
    partial = target.with_name(target.name + PARTIAL)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(target)
