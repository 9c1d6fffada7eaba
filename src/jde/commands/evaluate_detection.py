import json
import logging
from dataclasses import dataclass
from pathlib import Path

import tyro

from jde.formats.draft import write_text
from jde.metrics.coco import coco_scores
from jde.metrics.detection import DetectionScores, SeenPicture
from jde.metrics.score_table import render_table
from jde.training.labelled_pictures import all_samples, look_at, open_pictures
from jde.weights.loading import load_detector

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateDetectionOptions:
    """Score a detector on labelled pictures: precision, recall and average precision.

    `jde evaluate detection MOT17/train/MOT17-09-SDP --weights jde-nano`
    The figures are those of the JDE papers, from an average precision for every picture: P, R and
    mAP leave out pictures in which nothing is found, as the published programs do, and "of all"
    counts them. `--coco` adds COCO's figures. Networks of several classes get a row for each.
    """

    data: tyro.conf.Positional[tuple[Path, ...]]
    """List files, folders with images and labels_with_ids, MOTChallenge sequences or folders."""

    weights: str = "jde-nano"
    """Name that `jde zoo` lists, or a weight file."""

    class_numbers: tuple[int, ...] = ()
    """The number of each of the network's classes in the labels [default: 0, 1, ... in label files,
    1, 2, ... in MOTChallenge files; one class alone takes whatever label files say]."""

    root: Path | None = None
    """Folder that the lines of list files start from; each list's own where not given."""

    min_score: float = 0.3
    """Score that detections must exceed."""

    max_overlap: float = 0.45
    """Overlap beyond which the lower of two boxes goes."""

    size: tuple[int, int] | None = None
    """Width and height of the network's input [default: that of the weights]. Every picture is
    brought to it, also where the weights would fit their input to the shape of a video."""

    device: str = "auto"
    """Where the network runs: auto, cpu, cuda, cuda:1, ..."""

    batch: int = 8
    """Pictures that the network gets at once."""

    every: int = 100
    """Pictures between two lines of the running table."""

    coco: bool = False
    """Also compute COCO's twelve figures. Use with a low --min-score, such as 0.01."""

    json: Path | None = None
    """Also write all figures to this JSON file."""


def run(options: EvaluateDetectionOptions) -> str:
    """Run the detector over the pictures, write what was asked for and return the table."""
    detector = load_detector(
        options.weights,
        device=options.device,
        size=options.size,
        shape="fixed",
        min_score=options.min_score,
        max_overlap=options.max_overlap,
    )
    names = detector.config.classes
    source = open_pictures(
        options.data,
        options.root,
        detector.input_size,
        classes=len(names),
        class_numbers=options.class_numbers,
    )
    scores, kept = [DetectionScores() for _ in names], list[list[SeenPicture]]()
    for seen in look_at(detector, all_samples(source), options.batch):
        scores = [one.add(part) for one, part in zip(scores, seen, strict=True)]
        if options.coco:
            kept.append(seen)
        if scores[0].pictures % options.every == 0 or scores[0].pictures == len(source):
            log_row(scores, names, len(source))
    rows: dict[str, dict[str, int | float]] = {}
    for number, (name, one) in enumerate(zip(names, scores, strict=True)):
        rows[name] = {**one.as_dict()}
        if options.coco:
            figures = coco_scores([picture[number] for picture in kept])
            rows[name] |= {f"COCO {figure}": value for figure, value in figures.items()}
    is_single = len(names) == 1
    if options.json:
        content = rows[names[0]] if is_single else rows
        write_text(options.json, json.dumps(content, indent=2) + "\n")
    return render_table({options.weights: rows[names[0]]} if is_single else rows)


def log_row(scores: list[DetectionScores], names: tuple[str, ...], total: int) -> None:
    """Log a line of the running table for each class."""
    for name, one in zip(names, scores, strict=True):
        row = one.as_dict()
        logger.info(
            "%7d of %d pictures  P %.4f  R %.4f  mAP %.4f%s",
            one.pictures,
            total,
            row["P"],
            row["R"],
            row["mAP"],
            f"  {name}" if len(names) > 1 else "",
        )
