"""Scores a network while it learns, as `jde evaluate` scores a finished one."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from jde.data.config import expand
from jde.data.joint import JointSource
from jde.data.mot_source import GROUND_TRUTH, find_sequences, picture_folder
from jde.engines.torch_engine import TorchEngine
from jde.formats.mot_text import MotRows, read_mot
from jde.imaging.picture_file import list_pictures
from jde.metrics.detection import DetectionScores
from jde.metrics.embedding import verification_rates
from jde.metrics.tracking_scores import TrackingScores, score_sequence
from jde.model.detector import Detector
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.structures.letterbox import Size
from jde.tracking.config import TrackerConfig
from jde.tracking.reporting import reportable
from jde.tracking.tracker import Tracker
from jde.training.evaluation_config import EvaluationConfig
from jde.training.labelled_pictures import all_samples, embed_people, look_at, open_pictures
from jde.training.picture_files import find_shared, picture_files
from jde.video.reading import read_video

logger = logging.getLogger(__name__)

PICTURE_MIN_SCORE, PICTURE_MAX_OVERLAP = 0.3, 0.45
"""Thresholds of the published detection test."""

FALSE_ACCEPTS = 0.1
"""Share of pairs of two people that is taken for one where the true rate is read."""

FIGURES = {"AP": "mAP of all", "precision": "P of all", "recall": "R of all"}
"""Scores of pictures, and what they are called in the table of `jde evaluate detection`."""

BATCH = 8
NAMES_SHOWN = 3

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Judge:
    """What a network is scored on.

    Attributes:
        config: When, and by which score the best weights are chosen.
        tracker: How detections are associated.
        sequences: Folders of the sequences.
        pictures: Labelled pictures; None without any.
        device: Where the network runs.
        trained_on: Scored pictures that the network also learns from.
    """

    config: EvaluationConfig
    tracker: TrackerConfig
    sequences: tuple[Path, ...]
    pictures: JointSource | None
    device: str
    trained_on: tuple[Path, ...] = ()

    @classmethod
    def open(
        cls,
        config: EvaluationConfig,
        tracker: TrackerConfig,
        size: Size,
        device: str,
        *,
        classes: int = 1,
    ) -> "Judge":
        """Return a judge whose sequences and pictures are all there.

        Args:
            config: What to score on.
            tracker: How detections are associated.
            size: Width and height of the network's input.
            device: Where the network runs.
            classes: How many classes the network has.

        Raises:
            InputError: One is missing or malformed.
        """
        sequences = [folder for path in config.sequences for folder in find_sequences(expand(path))]
        for folder in sequences:
            if not (folder / GROUND_TRUTH).is_file():
                raise InputError(f"{folder / GROUND_TRUTH}: is missing, so nothing can be scored")
        paths = [expand(path) for path in config.pictures]
        if not paths:
            return cls(config, tracker, tuple(sequences), None, device)
        pictures = open_pictures(
            paths,
            None,
            size,
            classes=classes,
            class_numbers=config.class_numbers,
        )
        return cls(config, tracker, tuple(sequences), pictures, device)

    def watch(self, trained: JointSource) -> "Judge":
        """Return the judge that knows which of its pictures the network learns from."""
        files = list(self.files())
        shared = find_shared(picture_files(trained), files)
        if shared:
            shown = ", ".join(map(str, shared[:NAMES_SHOWN]))
            logger.warning(
                "%d of the %d pictures that are scored are trained on, too, so scores say nothing "
                "about new pictures: %s%s",
                len(shared),
                len(set(files)),
                shown,
                ", ..." if len(shared) > NAMES_SHOWN else "",
            )
        return replace(self, trained_on=tuple(shared))

    def files(self) -> Iterator[Path]:
        """Yield the picture files that scores come from."""
        for folder in self.sequences:
            yield from list_pictures(picture_folder(folder))
        if self.pictures:
            yield from picture_files(self.pictures)

    def facts(self) -> dict[str, object]:
        """Return what `run.json` says about the scores."""
        return {
            "pictures": len(set(self.files())),
            "trained_on": bool(self.trained_on),
            "trained_pictures": len(self.trained_on),
        }

    def score(self, network: JDENet) -> Figures:
        """Return the scores of a network, each from 0 to 1 or, where it is bad, less."""
        detector = Detector(TorchEngine(network, device=self.device), network.config)
        figures: Figures = {}
        if self.sequences:
            scores = score_tracking(detector, self.sequences, self.tracker).as_dict()
            figures |= {name: float(scores[name]) for name in ("MOTA", "IDF1", "HOTA")}
        if self.pictures:
            figures |= score_pictures(detector, self.pictures)
        return figures

    def choose(self, figures: Figures) -> float:
        """Return the score that decides which weights are best."""
        value = figures[self.config.metric.upper()]
        return -np.inf if np.isnan(value) else value


def score_tracking(
    detector: Detector, sequences: Sequence[Path], tracker: TrackerConfig
) -> TrackingScores:
    """Return the scores over the people of all sequences: over what is of the first class."""
    return sum(
        (
            score_sequence(
                track_sequence(detector, folder, tracker),
                read_mot(folder / GROUND_TRUTH),
                name=folder.name,
            )
            for folder in sequences
        ),
        TrackingScores.zero(),
    )


def track_sequence(detector: Detector, folder: Path, config: TrackerConfig) -> MotRows:
    """Return which people, or others of the first class, are where, as `jde track` writes it."""
    frames = []
    with read_video(folder) as source:
        tracker = Tracker(config, source.frame_rate)
        for frame in source:
            found = detector(frame.image)
            tracks = tracker.update(found.where(found.classes == 0), frame.seconds)
            frames.append((frame.index, reportable(tracks, config)))
    return MotRows.of_tracks(frames)


def score_pictures(detector: Detector, pictures: JointSource) -> Figures:
    """Return average precision, precision, recall and, of known people, the true positive rate.

    Pictures with people in which nothing is found count as 0. Of several classes it is the mean,
    and the average precision of each is there, too.
    """
    settings = replace(
        detector.settings, min_score=PICTURE_MIN_SCORE, max_overlap=PICTURE_MAX_OVERLAP
    )
    looking = Detector(detector.engine, detector.config, settings)
    names = detector.config.classes
    scores = [DetectionScores() for _ in names]
    for seen in look_at(looking, all_samples(pictures), BATCH):
        scores = [one.add(part) for one, part in zip(scores, seen, strict=True)]
    rows = [one.as_dict() for one in scores]
    figures = {name: sum(row[key] for row in rows) / len(rows) for name, key in FIGURES.items()}
    if len(names) > 1:
        figures |= {f"AP {n}": row["mAP of all"] for n, row in zip(names, rows, strict=True)}
    embeddings, identities = embed_people(
        detector, all_samples(pictures), total=0, every=len(pictures) + 1
    )
    if has_pairs(identities):
        rates = verification_rates(embeddings, identities).rates
        figures[f"TPR@FAR{FALSE_ACCEPTS:g}"] = rates[FALSE_ACCEPTS]
    return figures


def has_pairs(identities: Int64[np.ndarray, " n"]) -> bool:
    """Return whether somebody is seen twice and there is somebody else."""
    counts = np.unique(identities, return_counts=True)[1]
    return len(counts) > 1 and int(counts.max()) > 1
