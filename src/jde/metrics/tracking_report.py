"""Scores of tracks against ground truth, as a table, JSON and CSV."""

import csv
import io
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jde.formats.mot_text import PEDESTRIAN, MotRows, read_mot
from jde.formats.seqinfo import is_sequence, read_seqinfo
from jde.metrics.comparison import Protocol
from jde.metrics.result_files import ScoredSequence, pair_files
from jde.metrics.score_table import Score, render_table
from jde.metrics.tracking_scores import TrackingScores, score_sequence

logger = logging.getLogger(__name__)

OVERALL = "OVERALL"


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """Scores of every sequence and of all of them together.

    Attributes:
        sequences: Scores by the name of the sequence.
        protocol: Whose rules were followed.
    """

    sequences: dict[str, TrackingScores]
    protocol: Protocol = "mot"

    @property
    def overall(self) -> TrackingScores:
        """Scores over the boxes of all sequences, not the mean of their scores."""
        return sum(self.sequences.values(), TrackingScores.zero())

    def as_dict(self) -> dict[str, dict[str, Score]]:
        """Return the columns of every sequence and of `OVERALL`: shares from 0 to 1, counts.

        MOTP is the mean overlap; the published programs print one less it, and so do their
        protocols here.
        """
        rows = {name: scores.as_dict() for name, scores in self.sequences.items()}
        rows[OVERALL] = self.overall.as_dict()
        if self.protocol != "mot":
            for row in rows.values():
                row["MOTP"] = 1 - row["MOTP"] if row["TP"] else float("nan")
        return rows

    def table(self) -> str:
        """Return a table to print, with shares in per cent."""
        return render_table(self.as_dict())

    def to_json(self) -> str:
        """Return the protocol and all columns as JSON, with nothing rounded."""
        *sequences, overall = self.as_dict().items()
        content = {"protocol": self.protocol, "sequences": dict(sequences), "overall": overall[1]}
        return json.dumps(content, indent=2) + "\n"

    def to_csv(self) -> str:
        """Return all columns as CSV, with nothing rounded and `OVERALL` in the last row."""
        rows = self.as_dict()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["sequence", *rows[OVERALL]])
        writer.writerows([name, *row.values()] for name, row in rows.items())
        return text.getvalue()


def evaluate_tracking(
    results: Path | str,
    ground_truth: Path | str,
    *,
    pattern: str = "*",
    protocol: Protocol = "mot",
    class_number: int | None = None,
) -> TrackingReport:
    """Return the scores of result files against ground truth, both MOTChallenge text.

    >>> print(evaluate_tracking("tracks.txt", "MOT17-09-SDP").table())

    Args:
        results: A result file, or a folder with one file a sequence.
        ground_truth: A sequence folder, or a folder of sequence folders.
        pattern: Which sequences of a folder of them to score, such as `*-SDP`.
        protocol: `mot` counts as MOTChallenge's official evaluator does; `zhongdao` and `paddle`
            as the published programs do.
        class_number: Class to score, as both files number it, where the results hold several; 1 is
            a pedestrian.

    Raises:
        InputError: A file is missing, left over or malformed.
    """
    return TrackingReport(
        {
            one.name: _score_files(one, protocol, class_number)
            for one in pair_files(Path(results), Path(ground_truth), pattern)
        },
        protocol,
    )


def rows_of_class(rows: MotRows, number: int) -> MotRows:
    """Return the rows of a class as if they were pedestrians, for whom the rules are written.

    All of them count: MOTChallenge marks whatever is no pedestrian as not scored.
    """
    own = rows.where(rows.classes == number)
    return replace(
        own, classes=np.full(len(own), PEDESTRIAN, np.int64), confidences=np.ones(len(own))
    )


def _score_files(
    files: ScoredSequence, protocol: Protocol, class_number: int | None
) -> TrackingScores:
    results, truth = read_mot(files.results), read_mot(files.truth)
    if class_number is not None:
        results = rows_of_class(results, class_number)
        # Beside pedestrians, their ground truth says what else people may look like.
        truth = truth if class_number == PEDESTRIAN else rows_of_class(truth, class_number)
    folder = files.truth.parent.parent
    length = read_seqinfo(folder).length if is_sequence(folder) else None
    last = int(results.frames.max(initial=0))
    if length and last > length:
        logger.warning(
            "%s: reports frames up to %d where the sequence has %d; the rest are false alarms",
            files.results,
            last,
            length,
        )
    return score_sequence(results, truth, name=files.name, protocol=protocol)
