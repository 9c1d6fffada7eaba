"""Which pictures and labels a data set consists of, however it is laid out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jde.data.label_source import LABEL_FOLDERS, PICTURE_FOLDER
from jde.data.mot_source import GROUND_TRUTH
from jde.data.prepare.layout import pictures_below
from jde.data.prepare.motchallenge import ground_truths, read_sequences
from jde.data.prepare.prepared import Person, Selection
from jde.formats.jde_labels import label_path, read_labels
from jde.formats.number_table import read_text
from jde.formats.seqinfo import is_sequence
from jde.structures.errors import InputError

LIST_SUFFIXES = (".train", ".val", ".test")
EXPECTED = (
    "a list file, a folder with images and labels_with_ids, a data root with list files, or a "
    "MOTChallenge folder"
)


@dataclass(frozen=True, slots=True)
class ListedPicture:
    """A picture of a data set and what its annotation says.

    Attributes:
        path: The picture file.
        group: List, folder or sequence that it belongs to.
        people: Boxes from their left upper corner; empty where the labels can't be read.
        relative: Whether the boxes are shares of the picture rather than pixels.
        problem: What is wrong with the labels, empty where nothing is.
    """

    path: Path
    group: str
    people: Sequence[Person]
    relative: bool = True
    problem: str = ""


def take_inventory(dataset: Path) -> list[ListedPicture]:
    """Return the pictures of a list file, a folder, a data root or MOTChallenge sequences.

    Raises:
        InputError: There is nothing of that kind at `dataset`.
    """
    if dataset.is_file():
        return list(_of_list(dataset))
    if not dataset.is_dir():
        raise InputError(f"{dataset}: there is no such file or folder; give {EXPECTED}")
    if (dataset / PICTURE_FOLDER).is_dir():
        return list(_of_folder(dataset))
    if lists := sorted(path for path in dataset.iterdir() if path.suffix in LIST_SUFFIXES):
        return [picture for path in lists for picture in _of_list(path)]
    if ground_truths(dataset):
        return list(_of_sequences(dataset))
    if unlabelled := [path for path in (dataset, *dataset.iterdir()) if is_sequence(path)]:
        raise InputError(f"{unlabelled[0] / GROUND_TRUTH}: is missing, as in every sequence here")
    raise InputError(f"{dataset}: holds no data set; give {EXPECTED}")


def _of_list(path: Path) -> Iterator[ListedPicture]:
    for line in read_text(path).splitlines():
        if name := line.strip():
            yield _with_labels(path.parent / name, path.parent / label_path(Path(name)), path.name)


def _of_folder(folder: Path) -> Iterator[ListedPicture]:
    labels = next((folder / one for one in LABEL_FOLDERS if (folder / one).is_dir()), None)
    for picture in pictures_below(folder / PICTURE_FOLDER):
        relative = picture.relative_to(folder / PICTURE_FOLDER).with_suffix(".txt")
        yield _with_labels(picture, (labels or folder / LABEL_FOLDERS[0]) / relative, folder.name)


def _of_sequences(folder: Path) -> Iterator[ListedPicture]:
    for picture in read_sequences(folder, Selection(folder="")):
        assert isinstance(picture.source, Path)
        yield ListedPicture(
            path=picture.source,
            group=picture.source.parent.parent.name,
            people=picture.people,
            relative=picture.relative,
        )


def _with_labels(picture: Path, labels: Path, group: str) -> ListedPicture:
    if not labels.is_file():
        return ListedPicture(picture, group, (), problem=f"{labels}: is missing")
    try:
        rows = read_labels(labels).tolist()
    except InputError as error:
        return ListedPicture(picture, group, (), problem=str(error))
    people = [
        Person(int(identity), x - width / 2, y - height / 2, width, height, int(kind))
        for kind, identity, x, y, width, height in rows
    ]
    return ListedPicture(picture, group, people)
