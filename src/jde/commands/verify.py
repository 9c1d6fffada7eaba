import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from jde.commands.track import track
from jde.metrics.comparison import Protocol
from jde.metrics.tracking_report import evaluate_tracking
from jde.structures.errors import InputError
from jde.tracking.config import TrackerConfig
from jde.weights.published_tables import PublishedTable, compare_table, find_table

PROTOCOLS: dict[str, Protocol] = {
    "jde": "mot",
    "zhongdao": "zhongdao",
    "paddle": "paddle",
    "mindspore": "zhongdao",
}
"""Whose rules of scoring each program follows; MindSpore's took over the authors'."""

TRACKERS = {
    "jde": TrackerConfig,
    "zhongdao": TrackerConfig.zhongdao,
    "paddle": TrackerConfig.paddle,
    "mindspore": TrackerConfig.mindspore,
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyOptions:
    """Re-run a published table with given weights, and show what was published beside it.

    Detection, association and scoring follow the program that published the table.

        jde verify jde.1088x608.pt --sequences MOT16/train --expect mot16-zhongdao-1088x608
    """

    weights: Annotated[str, tyro.conf.Positional]
    """Weight file, or a name that 'jde zoo' lists."""

    sequences: Path
    """Folder with the sequence folders of the benchmark, each with gt/gt.txt."""

    expect: str
    """Name of a published table (a wrong name lists them), or a JSON file of the same form."""

    output: Path = Path("verified")
    """Folder for the result files."""

    device: str = "auto"
    """Where the network runs: auto, cpu, cuda, cuda:1, ..."""

    engine: str = "auto"
    """What runs the network."""


def run(options: VerifyOptions) -> str:
    """Track and score the sequences of a published table, and compare."""
    table = find_table(options.expect)
    if table.profile not in PROTOCOLS:
        raise InputError(f"{options.expect}: unknown profile {table.profile!r}")
    folders = find_sequences(options.sequences, table)
    results, truth = options.output / "results", options.output / "ground-truth"
    for folder in (results, truth):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    track_all(options, table, folders, results)
    for folder in folders:
        (truth / folder.name / "gt").mkdir(parents=True)
        shutil.copy(folder / "gt" / "gt.txt", truth / folder.name / "gt" / "gt.txt")
    report = evaluate_tracking(results, truth, protocol=PROTOCOLS[table.profile])
    return "\n".join([describe(table), compare_table(table, report.as_dict())])


def find_sequences(folder: Path, table: PublishedTable) -> list[Path]:
    """Return the folders of the table's sequences, or all where it names none.

    Raises:
        InputError: One is missing or has no ground truth.
    """
    names = table.sequences or sorted(
        path.parent.parent.name for path in folder.glob("*/gt/gt.txt")
    )
    missing = [name for name in names if not (folder / name / "gt" / "gt.txt").is_file()]
    if missing or not names:
        raise InputError(
            f"{folder}: no ground truth (gt/gt.txt) of {', '.join(missing) or 'any sequence'}; the "
            f"table {table.name} needs the sequences of {table.benchmark}"
        )
    return [folder / name for name in names]


def track_all(
    options: VerifyOptions, table: PublishedTable, folders: list[Path], results: Path
) -> None:
    """Track every sequence with the program's conventions into one file each."""
    from jde.weights.loading import load_detector  # noqa: PLC0415 (quick help)

    detector = load_detector(
        options.weights,
        device=options.device,
        engine=options.engine,
        size=table.input_size,
        profile=table.profile,
        # A published figure is compared, not hurried.
        precision="float32",
    )
    for place, folder in enumerate(folders, start=1):
        logger.info("%s (%d of %d)", folder.name, place, len(folders))
        output = options.output / "tracks" / folder.name
        track(folder, detector, output, config=TRACKERS[table.profile](), video=False)
        shutil.copy(output / "tracks.txt", results / f"{folder.name}.txt")


def describe(table: PublishedTable) -> str:
    """Return where a table comes from and what to know before comparing."""
    lines = [f"{table.name}: {table.benchmark}, {table.profile} profile", f"from {table.origin}"]
    return "\n".join([*lines, *([f"note: {table.note}"] if table.note else [])])
