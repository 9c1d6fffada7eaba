"""Scores of tracks against ground truth, as a table, JSON and CSV."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

from jde.formats.mot_text import read_mot
from jde.metrics.comparison import Protocol
from jde.metrics.result_files import pair_files
from jde.metrics.score_table import Score, render_table
from jde.metrics.tracking_scores import TrackingScores, score_sequence

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
    results: Path | str, ground_truth: Path | str, *, protocol: Protocol = "mot"
) -> TrackingReport:
    """Return the scores of result files against ground truth, both MOTChallenge text.

    >>> print(evaluate_tracking("tracks.txt", "MOT17-09-SDP").table())

    Args:
        results: A result file, or a folder with one file a sequence.
        ground_truth: A sequence folder, or a folder of sequence folders.
        protocol: `mot` counts as MOTChallenge's official evaluator does; `zhongdao` and `paddle`
            as the published programs do.

    Raises:
        InputError: A file is missing, left over or malformed.
    """
    return TrackingReport(
        {
            name: score_sequence(
                read_mot(result_file), read_mot(truth), name=name, protocol=protocol
            )
            for name, result_file, truth in pair_files(Path(results), Path(ground_truth))
        },
        protocol,
    )
