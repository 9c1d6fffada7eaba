"""PRW: surveillance frames of a campus, with identities over six cameras."""

from collections.abc import Iterator
from pathlib import Path

from jde.data.prepare.layout import existing
from jde.data.prepare.matlab import entries, read_matlab, rows
from jde.data.prepare.prepared import UNKNOWN, Part, Person, PreparedPicture, Selection

EXPECTED = "frames/, annotations/, frame_train.mat and frame_test.mat, as PRW-v16.04.20 has them"
PARTS: tuple[tuple[Part, str], ...] = (("train", "train"), ("val", "test"))
BOX_VARIABLES = ("box_new", "anno_file", "anno_previous")
"""The name of the matrix varies from file to file."""


def read_prw(raw: Path, selection: Selection) -> Iterator[PreparedPicture]:
    """Yield the training frames, then the test frames, as validation.

    Identities keep their official numbers, as in the published labels; -2 becomes unknown.
    """
    frames, annotations = (existing(raw / name, EXPECTED) for name in ("frames", "annotations"))
    for part, name in PARTS:
        index = existing(raw / f"frame_{name}.mat", EXPECTED)
        for stem in entries(read_matlab(index, f"img_index_{name}")):
            file = f"{stem}.jpg"
            yield PreparedPicture(
                source=existing(frames / file, EXPECTED),
                name=f"{selection.folder}/images/{file}",
                people=_people(existing(annotations / f"{file}.mat", EXPECTED)),
                part=part,
            )


def _people(annotation: Path) -> list[Person]:
    return [
        Person.of(max(int(identity), UNKNOWN), box)
        for identity, *box in rows(read_matlab(annotation, *BOX_VARIABLES), 5)
    ]
