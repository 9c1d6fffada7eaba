"""Pictures with label files beside them, in the layout of the JDE data sets."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from jde.data.class_column import OTHER, ClassColumn
from jde.data.picture_source import Annotation, PictureSource
from jde.formats.jde_labels import label_path, read_labels
from jde.formats.number_table import read_text
from jde.imaging.picture_file import PICTURE_SUFFIXES
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

PICTURE_FOLDER = "images"
LABEL_FOLDERS = ("labels_with_ids", "labels")
"""Where labels lie beside the folder of pictures: the published name first."""


PEOPLE_ALONE = ClassColumn()


def label_source(
    path: Path,
    *,
    name: str = "",
    root: Path | None = None,
    network: Size | None = None,
    column: ClassColumn = PEOPLE_ALONE,
) -> PictureSource:
    """Return the pictures of a list file, or of a folder with `images` and labels inside.

    Args:
        path: A text file with one picture a line, or a folder.
        name: What reports call the source; the name of `path` where empty.
        root: Folder that the lines of a list file start from; the list's own where None.
        network: Size that pictures are read for.
        column: What the numbers in the labels' first column mean. With one class and no number for
            it, everybody is of that class whatever the column says.

    Raises:
        InputError: Pictures or labels are missing, or a label is malformed or of an unknown class.
    """
    if path.is_dir():
        pairs = _pairs_of_folder(path)
    elif path.is_file():
        pairs = _pairs_of_list(path, root or path.parent)
    else:
        raise InputError(f"{path}: there is no such list file or folder of labelled pictures")
    return PictureSource.of(
        name or path.stem, (_annotate(*pair, column) for pair in pairs), network=network
    )


def _pairs_of_folder(folder: Path) -> Iterator[tuple[Path, Path]]:
    pictures = folder / PICTURE_FOLDER
    labels = next((folder / one for one in LABEL_FOLDERS if (folder / one).is_dir()), None)
    if not pictures.is_dir() or labels is None:
        raise InputError(
            f"{folder}: must hold the folders {PICTURE_FOLDER} and {' or '.join(LABEL_FOLDERS)}"
        )
    for picture in sorted(pictures.rglob("*")):
        if picture.suffix.lower() in PICTURE_SUFFIXES and not picture.name.startswith("."):
            yield picture, (labels / picture.relative_to(pictures)).with_suffix(".txt")


def _pairs_of_list(list_file: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    for line in read_text(list_file).splitlines():
        if picture := line.strip():
            # Only the listed part is renamed: the root may have a folder called images, too.
            yield root / picture, root / label_path(Path(picture))


def _annotate(picture: Path, labels: Path, column: ClassColumn) -> Annotation:
    if not labels.is_file():
        raise InputError(f"{labels}: is missing; write an empty file for a picture without people")
    rows = read_labels(labels)
    kinds = rows[:, 0].astype(np.int64)
    if column == PEOPLE_ALONE:
        classes = np.zeros_like(kinds)
    elif column.numbers:
        classes = column.read(kinds, ())
    elif kinds.max(initial=0) < column.count:
        classes = kinds
    else:
        raise InputError(
            f"{labels}: holds class {kinds.max()}, the network has classes 0 to "
            f"{column.count - 1}; name more in model.classes, or choose with class_numbers"
        )
    known = classes != OTHER
    boxes, identities = _corners(rows[known, 2:]), rows[known, 1].astype(np.int64)
    return Annotation(picture, boxes, identities, classes[known])


def _corners(centre_boxes: Float64[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 4"]:
    centres, halves = centre_boxes[:, :2], centre_boxes[:, 2:] / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)
