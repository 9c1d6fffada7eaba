"""Finds the limits of the tracker that suit weights: starting score, distance of appearances.

    JDE_DATA=data python benchmarks/calibrate_tracker.py --weights heldout.safetensors

The network looks at each frame once; then trackers of all settings follow what it saw, each also
through copies of it that are shaken a little: one run alone is a lottery. There are two folds,
places that a training knew and another one. What is best on one fold is reported on the other, so
that no figure comes from frames that it was chosen on. The score chosen over both is for
`jde convert --start-score`.
"""

import argparse
import itertools
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from heldout_scores import SCENES, cut
from jde.formats.mot_text import MotRows, read_mot
from jde.metrics.tracking_scores import TrackingScores, score_sequence
from jde.model.detector import Detector
from jde.structures.detections import Detections
from jde.tracking.config import TrackerConfig
from jde.tracking.tracker import Tracker
from jde.video.reading import read_video
from jde.weights.loading import load_detector

UNKNOWN_PLACE = "ETH-Sunnyday-a"
STARTS = (0.5, 0.7, 0.8, 0.9, 0.95)
"""Scores to choose from."""

DISTANCES = (0.5, 0.6, 0.7, 0.8)
"""Distances of looks to choose from."""

COPIES = 6
"""How often each setting is tried: on what the network saw, and on shaken copies of it."""

LOST, BOX_NOISE, LOGIT_NOISE, LOOK_NOISE = 0.03, 0.01, 0.2, 0.05
"""How much copies are shaken: share of detections dropped, boxes by their sides, logits, looks."""

SHOWN = ("HOTA", "MOTA", "IDF1", "IDs")
TINY = 1e-9

Setting = tuple[float, float]
"""Score that starts a track, and distance of looks."""


@dataclass(frozen=True)
class Seen:
    """What the network saw of a sequence, and the truth."""

    name: str
    frame_rate: float
    frames: tuple[tuple[float, Detections], ...]
    truth: MotRows

    @classmethod
    def look(cls, detector: Detector, folder: Path) -> "Seen":
        """Return what a detector sees in a sequence folder."""
        with read_video(folder) as source:
            frames = tuple((frame.seconds, detector(frame.image)) for frame in source)
            rate = source.frame_rate
        return cls(folder.name, rate, frames, read_mot(folder / "gt" / "gt.txt"))

    def shaken(self, seed: int) -> "Seen":
        """Return a copy as the network might have seen it on another day."""
        rng = np.random.default_rng(seed)
        frames = tuple((seconds, shake(seen, rng)) for seconds, seen in self.frames)
        return replace(self, frames=frames)

    def score(self, config: TrackerConfig) -> TrackingScores:
        """Return the scores of a tracker."""
        tracker = Tracker(config, self.frame_rate)
        tracks = [
            (number, tracker.update(seen, seconds))
            for number, (seconds, seen) in enumerate(self.frames, start=1)
        ]
        return score_sequence(MotRows.of_tracks(tracks), self.truth, name=self.name)


def shake(seen: Detections, rng: np.random.Generator) -> Detections:
    """Return detections with some noise in all that they hold."""
    sides = np.tile(seen.boxes[:, 2:] - seen.boxes[:, :2], 2)
    boxes = seen.boxes + sides * rng.normal(0, BOX_NOISE, sides.shape)
    odds = np.log(seen.scores / np.maximum(1 - seen.scores, TINY))
    scores = 1 / (1 + np.exp(-odds - rng.normal(0, LOGIT_NOISE, len(seen))))
    looks = seen.embeddings + LOOK_NOISE * unit(rng.normal(0, 1, seen.embeddings.shape))
    copy = Detections(
        boxes.astype(np.float32),
        scores.astype(np.float32),
        unit(looks).astype(np.float32),
        seen.classes,
    )
    return copy.where(rng.random(len(seen)) > LOST)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return rows of length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), TINY))


def score_all(copies: Sequence[Sequence[Seen]], config: TrackerConfig) -> dict[str, float]:
    """Return the mean over copies of a group of the scores over all its sequences."""
    rows = [
        sum((one.score(config) for one in group), TrackingScores.zero()).as_dict()
        for group in copies
    ]
    return {name: float(np.mean([row[name] for row in rows])) for name in SHOWN}


def best(tables: Sequence[dict[Setting, dict[str, float]]]) -> Setting:
    """Return the setting with the highest mean of HOTA, MOTA and IDF1 over several tables."""
    return max(tables[0], key=lambda setting: np.mean([goal(table[setting]) for table in tables]))


def goal(row: dict[str, float]) -> float:
    """Return what the thresholds are chosen by."""
    return float(np.mean([row[name] for name in ("HOTA", "MOTA", "IDF1")]))


def line(row: dict[str, float]) -> str:
    """Return the scores that matter."""
    shares = "  ".join(f"{name} {100 * row[name]:5.1f}" for name in SHOWN[:-1])
    return f"{shares}  switches {row[SHOWN[-1]]:5.1f}"


def tracker(setting: Setting, *, use_embeddings: bool = True) -> TrackerConfig:
    """Return how to associate with a setting."""
    start, distance = setting
    return TrackerConfig(
        min_score=start, max_appearance_distance=distance, use_embeddings=use_embeddings
    )


def look(weights: str, data: Path) -> list[list[list[Seen]]]:
    """Return the copies of both folds: known places, the unknown one."""
    detector = load_detector(weights)
    assert isinstance(detector, Detector)
    sequences = data / "sequences"
    with tempfile.TemporaryDirectory() as name:
        known = [Seen.look(detector, cut(sequences / one, 0.667, Path(name))) for one in SCENES]
    unknown = [Seen.look(detector, sequences / UNKNOWN_PLACE)]
    return [
        [group, *([one.shaken(seed) for one in group] for seed in range(1, COPIES))]
        for group in (known, unknown)
    ]


def main() -> None:
    """Look, choose and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="jde-nano")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("JDE_DATA", ".")))
    parser.add_argument("--starts", type=float, nargs="+", default=list(STARTS))
    parser.add_argument("--distances", type=float, nargs="+", default=list(DISTANCES))
    options = parser.parse_args()
    folds = look(options.weights, options.data)
    settings = list(itertools.product(options.starts, options.distances))
    tables = [{one: score_all(fold, tracker(one)) for one in settings} for fold in folds]
    print("start  distance  known places | unknown place")
    for one in settings:
        lines = " | ".join(line(table[one]) for table in tables)
        print(f"{one[0]:5.2f}  {one[1]:8.2f}  {lines}")
    labels = "known places, chosen on the unknown one", "unknown place, chosen on the known ones"
    for label, chosen_on, fold in zip(labels, tables[::-1], folds, strict=True):
        chosen = best([chosen_on])
        print(f"{label}: {chosen}  {line(score_all(fold, tracker(chosen)))}")
        alone = score_all(fold, tracker(chosen, use_embeddings=False))
        print(f"  motion alone: {line(alone)}")
    print(f"chosen over both: {best(tables)}")


if __name__ == "__main__":
    main()
