from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from jde.formats.draft import write_text
from jde.metrics.comparison import Protocol
from jde.metrics.tracking_report import evaluate_tracking


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateTrackingOptions:
    """Score result files against ground truth: HOTA, CLEAR and Identity.

    Both are MOTChallenge text. One sequence: `jde evaluate tracking tracks.txt MOT17-09-SDP`.
    Many, with results/NAME.txt for every folder MOT17/train/NAME:
    `jde evaluate tracking results MOT17/train --csv scores.csv`.
    """

    results: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RESULTS")]]
    """Result file, folder of NAME.txt files, or a folder that `jde track` wrote."""

    ground_truth: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="GROUND_TRUTH")]]
    """Sequence folder with gt/gt.txt, or a folder of such folders."""

    pattern: str = "*"
    """Which sequences of a folder of them to score: *-SDP takes each MOT17 sequence once."""

    protocol: Protocol = "mot"
    """mot: the official evaluator's rules. zhongdao, paddle: those of the published programs,
    to compare with their tables; MOTP is then a distance."""

    class_number: int | None = None
    """Class to score, as results and ground truth number it, where they hold several: 1 is the
    first class of a network and MOTChallenge's pedestrian."""

    json: Path | None = None
    """Also write all scores to this JSON file."""

    csv: Path | None = None
    """Also write all scores to this CSV file."""


def run(options: EvaluateTrackingOptions) -> str:
    """Score the files, write what was asked for and return the table."""
    report = evaluate_tracking(
        options.results,
        options.ground_truth,
        pattern=options.pattern,
        protocol=options.protocol,
        class_number=options.class_number,
    )
    if options.json:
        write_text(options.json, report.to_json())
    if options.csv:
        write_text(options.csv, report.to_csv())
    return report.table()
