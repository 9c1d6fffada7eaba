"""The JDE label format: `class identity cx cy width height` a line, as shares of the picture."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from jde.formats.number_table import line_of_row, read_table
from jde.structures.errors import InputError

Labels = Float64[np.ndarray, "n 6"]
"""Class, identity (-1 unknown), centre x and y, width and height divided by the picture's."""

COLUMNS = 6
UNKNOWN_IDENTITY = -1

CENTRE_MARGIN = 0.15
"""How far a centre may lie outside the picture: MOT17 boxes people up to 0.11 outside of it."""

MAX_SIDE = 2.0
"""Longest side, in pictures: MOT17 boxes whole people, up to 1.5 pictures high."""


def label_path(picture: Path) -> Path:
    """Return where the labels of a picture lie: every `images` becomes `labels_with_ids`."""
    return Path(str(picture).replace("images", "labels_with_ids")).with_suffix(".txt")


def read_labels(path: Path, *, strict: bool = False) -> Labels:
    """Return the boxes of a label file; an empty file has none.

    Published labels reach a little outside the picture, and so may these, up to `CENTRE_MARGIN`
    and `MAX_SIDE`; `strict` refuses every number outside 0 to 1.

    Raises:
        InputError: The file can't be read, or a line is no label; it names the line.
    """
    labels = read_table(path, columns=[COLUMNS])
    for fault, meaning in _faults(labels, strict=strict):
        if fault.any():
            row = int(np.flatnonzero(fault)[0])
            values = " ".join(f"{value:g}" for value in labels[row])
            raise InputError(f"{path}, line {line_of_row(path, row)}: {meaning}, got: {values}")
    return labels


def write_labels(path: Path, labels: Labels) -> None:
    """Write labels with the six decimals of the published files."""
    path.write_text(
        "".join(
            f"{int(kind)} {int(identity)} {x:.6f} {y:.6f} {width:.6f} {height:.6f}\n"
            for kind, identity, x, y, width, height in labels.tolist()
        ),
        encoding="utf-8",
    )


def _faults(labels: Labels, *, strict: bool) -> list[tuple[Bool[np.ndarray, " n"], str]]:
    whole = (labels[:, :2] == np.floor(labels[:, :2])).all(axis=1)
    margin, max_side = (0.0, 1.0) if strict else (CENTRE_MARGIN, MAX_SIDE)
    centres, sides = labels[:, 2:4], labels[:, 4:]
    return [
        (
            ~whole | (labels[:, 0] < 0) | (labels[:, 1] < UNKNOWN_IDENTITY),
            "class must be a whole number from 0 and identity one from -1",
        ),
        (
            ((centres < -margin) | (centres > 1 + margin)).any(axis=1),
            "the box lies outside the picture; coordinates are shares of it, from 0 to 1",
        ),
        (
            ((sides <= 0) | (sides > max_side)).any(axis=1),
            "width and height must be shares of the picture, above 0 and up to 1",
        ),
    ]
