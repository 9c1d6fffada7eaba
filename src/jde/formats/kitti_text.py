"""KITTI tracking text: 17 columns separated by blanks and, in results, the score; frames from 0."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jde.formats.line_writer import LineWriter
from jde.formats.mot_text import NO_CLASS, MotRows
from jde.formats.number_table import read_text
from jde.structures.boxes import corners_to_ltwh
from jde.structures.errors import InputError
from jde.structures.tracks import Tracks

PEDESTRIANS = frozenset({"pedestrian", "person", "person_sitting"})
COLUMNS = (17, 18)


class KittiWriter(LineWriter):
    """Writes tracks as they come; use it as a context manager.

    Args:
        path: The file; it is replaced.
        class_names: What the classes are called; everybody is a pedestrian without it.
    """

    def __init__(self, path: Path, class_names: Sequence[str] = ()) -> None:
        super().__init__(path)
        self._names = [name.replace(" ", "_") for name in class_names]

    def add(self, frame: int, tracks: Tracks) -> None:
        """Write the tracks of a frame, counted from 1 as everywhere in `jde`."""
        for row in range(len(tracks)):
            corners = " ".join(map(str, tracks.boxes[row]))
            name = self._names[tracks.classes[row]] if self._names else "pedestrian"
            self._file.write(
                f"{frame - 1} {tracks.ids[row]} {name} 0 0 -10 {corners} "
                f"-10 -10 -10 -1000 -1000 -1000 -10 {tracks.scores[row]!s}\n"
            )


def read_kitti(path: Path) -> MotRows:
    """Return the pedestrians of a KITTI file, with frames counted from 1.

    Raises:
        InputError: The file can't be read, or a line is no KITTI box.
    """
    numbers: list[list[float]] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) not in COLUMNS:
            raise InputError(
                f"{path}, line {number}: has {len(fields)} columns where 17 or 18 belong"
            )
        if fields[2].lower() not in PEDESTRIANS:
            continue
        shape = [*fields[6:10], *(fields[17:] or ["1"])]
        try:
            numbers.append([*map(int, fields[:2]), *map(float, shape)])
        except ValueError as error:
            raise InputError(f"{path}, line {number}: {error}") from error
    table = np.array(numbers, np.float64).reshape(-1, 7)
    return MotRows(
        frames=table[:, 0].astype(np.int64) + 1,
        ids=table[:, 1].astype(np.int64),
        ltwh=corners_to_ltwh(table[:, 2:6]),
        confidences=table[:, 6].copy(),
        classes=np.full(len(table), NO_CLASS, np.int64),
        visibilities=np.ones(len(table)),
    )
