"""One JSON object a frame: `{"frame": 1, "seconds": 0.0, "tracks": [{"id": 1, "box": ...}]}`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jde.formats.line_writer import LineWriter
from jde.formats.number_table import read_text
from jde.structures.errors import InputError
from jde.structures.tracks import Tracks


class TrackedFrame(NamedTuple):
    """A line: frame number from 1, seconds since the start (None if unknown), tracks."""

    frame: int
    seconds: float | None
    tracks: Tracks


class JsonLinesWriter(LineWriter):
    """Writes every frame as it comes, also those without tracks; use it as a context manager.

    Args:
        path: The file; it is replaced.
    """

    def add(self, frame: int, tracks: Tracks, seconds: float | None = None) -> None:
        """Write the tracks of a frame, counted from 1; boxes are corners in pixels."""
        rows = zip(
            tracks.ids.tolist(),
            # Through text, as a float32 has a shorter one than the float64 it becomes.
            [[float(str(side)) for side in box] for box in tracks.boxes],
            [float(str(score)) for score in tracks.scores],
            tracks.classes.tolist(),
            strict=True,
        )
        people = [
            {"id": identity, "box": box, "score": score, "class": kind}
            for identity, box, score, kind in rows
        ]
        line = {"frame": frame, "seconds": seconds, "tracks": people}
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")


def read_json_lines(path: Path) -> Iterator[TrackedFrame]:
    """Yield the frames of a file in its order.

    Raises:
        InputError: The file can't be read, or a line is no frame.
    """
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            people = entry["tracks"]
            yield TrackedFrame(
                int(entry["frame"]),
                entry.get("seconds"),
                Tracks(
                    np.array([person["id"] for person in people], np.int64),
                    np.array([person["box"] for person in people], np.float32).reshape(-1, 4),
                    np.array([person["score"] for person in people], np.float32),
                    np.array([person["class"] for person in people], np.int64),
                ),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, line {number}: is no tracked frame ({error})") from error
