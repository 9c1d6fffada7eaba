"""MOTChallenge text: `frame,id,left,top,width,height,confidence,class,visibility` a line."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64

from jde.formats.line_writer import LineWriter
from jde.formats.number_table import line_of_row, read_table
from jde.structures.boxes import corners_to_ltwh
from jde.structures.errors import InputError
from jde.structures.tracks import Tracks

COLUMNS = range(6, 11)
"""Column counts that occur: detections end with the confidence, MOT15 files have ten columns."""

WORLD_COLUMNS = 10
"""In files of ten columns the last three are world coordinates or -1, not class and visibility."""

CONFIDENCE_COLUMN, CLASS_COLUMN, VISIBILITY_COLUMN = 7, 8, 9

MAX_NUMBER = 2**53
"""Frames and ids stay below it, as text is read as float64."""

PEDESTRIAN = 1
"""Class that MOTChallenge scores."""

NO_CLASS = -1
"""Class of a row whose file has no class column."""


@dataclass(frozen=True, slots=True)
class MotRows:
    """The boxes of a MOTChallenge file, in its order.

    Attributes:
        frames: Frame numbers from 1.
        ids: Identities; -1 in files of detections.
        ltwh: Left, top, width and height in pixels of the original image.
        confidences: Scores of a tracker or detector; 0 marks ground truth that isn't scored.
        classes: Class of each box, -1 where the file has none.
        visibilities: Visible share of each box, 1 where the file does not say.
    """

    frames: Int64[np.ndarray, " n"]
    ids: Int64[np.ndarray, " n"]
    ltwh: Float64[np.ndarray, "n 4"]
    confidences: Float64[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"]
    visibilities: Float64[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def empty(cls) -> "MotRows":
        """Return the rows of a file without boxes."""
        return cls.of_tracks([])

    @classmethod
    def of_tracks(cls, frames: list[tuple[int, Tracks]]) -> "MotRows":
        """Return the rows of tracks in memory, given with their frame numbers from 1."""
        shapes = [corners_to_ltwh(tracks.boxes) for _, tracks in frames]
        ltwh = np.concatenate([np.zeros((0, 4)), *shapes])
        none = np.zeros(0, np.int64)
        return cls(
            frames=np.repeat(
                np.array([index for index, _ in frames], np.int64),
                np.array([len(tracks) for _, tracks in frames], np.int64),
            ),
            ids=np.concatenate([none, *(tracks.ids for _, tracks in frames)]),
            ltwh=ltwh,
            confidences=np.concatenate([np.zeros(0), *(tracks.scores for _, tracks in frames)]),
            classes=np.full(len(ltwh), NO_CLASS, np.int64),
            visibilities=np.ones(len(ltwh)),
        )

    def counts(self, chosen: Collection[int] = ()) -> Bool[np.ndarray, " n"]:
        """Return which rows of ground truth count.

        Those of confidence 0 don't. But MOTChallenge marks all rows of other classes than the
        pedestrian so, as it doesn't score them, and 0 says nothing about how good they are.

        Args:
            chosen: Numbers of classes that somebody asked for: apart from the pedestrian, all of
                their rows count.
        """
        others = [number for number in chosen if number not in {PEDESTRIAN, NO_CLASS}]
        return (self.confidences != 0) | np.isin(self.classes, others)

    def flat(self) -> Bool[np.ndarray, " n"]:
        """Return which boxes hold nothing, as their width or height isn't above 0."""
        return (self.ltwh[:, 2] <= 0) | (self.ltwh[:, 3] <= 0)

    def where(self, keep: Bool[np.ndarray, " n"] | Int64[np.ndarray, " k"]) -> "MotRows":
        """Return the rows that `keep` selects, as a mask or as row numbers."""
        return type(self)(
            self.frames[keep],
            self.ids[keep],
            self.ltwh[keep],
            self.confidences[keep],
            self.classes[keep],
            self.visibilities[keep],
        )


def read_mot(path: Path) -> MotRows:
    """Return the boxes of a ground truth, result or detection file.

    Raises:
        InputError: The file can't be read, or a line does not hold a box of a frame from 1.
    """
    table = read_table(path, columns=COLUMNS)
    rows, columns = table.shape
    numbers = table[:, :2]
    whole = (numbers == np.floor(numbers)) & (np.abs(numbers) < MAX_NUMBER)
    whole = whole.all(axis=1) & (numbers[:, 0] >= 1)
    if not whole.all():
        fault = int(np.flatnonzero(~whole)[0])
        raise InputError(
            f"{path}, line {line_of_row(path, fault)}: frame and id must be whole numbers and "
            f"frames count from 1, got {table[fault, 0]:g} and {table[fault, 1]:g}"
        )

    def column(number: int, otherwise: int) -> Float64[np.ndarray, " n"]:
        present = number <= columns and (number < CLASS_COLUMN or columns < WORLD_COLUMNS)
        return table[:, number - 1].copy() if present else np.full(rows, float(otherwise))

    return MotRows(
        frames=table[:, 0].astype(np.int64),
        ids=table[:, 1].astype(np.int64),
        ltwh=table[:, 2:6].copy(),
        confidences=column(CONFIDENCE_COLUMN, 1),
        classes=column(CLASS_COLUMN, NO_CLASS).astype(np.int64),
        visibilities=column(VISIBILITY_COLUMN, 1),
    )


class MotWriter(LineWriter):
    """Writes tracks as they come, so that a broken run leaves every finished frame.

    >>> with MotWriter(Path("tracks.txt")) as results:
    ...     results.add(frame.index, tracks)

    Args:
        path: The file; it is replaced.
        with_classes: End lines with class and visibility, as ground truth does, with classes
            counted from 1; without it with three times -1.
    """

    def __init__(self, path: Path, *, with_classes: bool = False) -> None:
        super().__init__(path)
        self._with_classes = with_classes

    def add(self, frame: int, tracks: Tracks) -> None:
        """Write the tracks of a frame, counted from 1; a frame without tracks writes no line."""
        for identity, box, score, kind in zip(
            tracks.ids,
            corners_to_ltwh(tracks.boxes),
            tracks.scores,
            tracks.classes.tolist(),
            strict=True,
        ):
            # str of a float32 is the shortest text that reads back to the same number.
            shape = ",".join(map(str, box))
            tail = f"{kind + 1},1" if self._with_classes else "-1,-1,-1"
            self._file.write(f"{frame},{identity},{shape},{score!s},{tail}\n")


def write_mot(path: Path, rows: MotRows) -> None:
    """Write rows as ground truth: nine columns, with class and visibility."""
    path.write_text(
        "".join(
            f"{frame},{identity},{','.join(f'{side:.10g}' for side in box)},"
            f"{confidence:.10g},{kind},{visibility:.10g}\n"
            for frame, identity, box, confidence, kind, visibility in zip(
                rows.frames.tolist(),
                rows.ids.tolist(),
                rows.ltwh.tolist(),
                rows.confidences.tolist(),
                rows.classes.tolist(),
                rows.visibilities.tolist(),
                strict=True,
            )
        ),
        encoding="utf-8",
    )
