"""Finds the score that should start a track, in two folds: places a training knew, and another.

    JDE_DATA=data python benchmarks/calibrate_start_score.py --weights heldout.safetensors

The network looks at each frame once; then trackers of all scores follow what it saw. What is best
on one fold is reported on the other, so that no figure comes from frames that it was chosen on. The
choice over both is for `jde convert --start-score`.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
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
STARTS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.97)
"""Scores to choose from."""


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

    def score(self, start: float, *, use_embeddings: bool = True) -> TrackingScores:
        """Return the scores of a tracker that starts tracks with a score."""
        config = TrackerConfig(min_score=start, use_embeddings=use_embeddings)
        tracker = Tracker(config, self.frame_rate)
        tracks = [
            (number, tracker.update(seen, seconds))
            for number, (seconds, seen) in enumerate(self.frames, start=1)
        ]
        return score_sequence(MotRows.of_tracks(tracks), self.truth, name=self.name)


def score_all(
    group: Sequence[Seen], start: float, *, use_embeddings: bool = True
) -> dict[str, float]:
    """Return the scores over all sequences of a group."""
    scores = sum(
        (one.score(start, use_embeddings=use_embeddings) for one in group), TrackingScores.zero()
    )
    return scores.as_dict()


def best(tables: Sequence[dict[float, dict[str, float]]]) -> float:
    """Return the score with the highest mean of HOTA, MOTA and IDF1 over several tables."""
    return max(tables[0], key=lambda start: np.mean([goal(table[start]) for table in tables]))


def goal(row: dict[str, float]) -> float:
    """Return what the thresholds are chosen by."""
    return float(np.mean([row[name] for name in ("HOTA", "MOTA", "IDF1")]))


def line(row: dict[str, float]) -> str:
    """Return the scores that matter."""
    return "  ".join(f"{name} {100 * row[name]:5.1f}" for name in ("HOTA", "MOTA", "IDF1"))


def main() -> None:
    """Look, choose and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="jde-nano")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("JDE_DATA", ".")))
    options = parser.parse_args()
    detector = load_detector(options.weights)
    assert isinstance(detector, Detector)
    sequences = options.data / "sequences"
    with tempfile.TemporaryDirectory() as name:
        known = [Seen.look(detector, cut(sequences / one, 0.667, Path(name))) for one in SCENES]
    unknown = [Seen.look(detector, sequences / UNKNOWN_PLACE)]
    tables = [{start: score_all(group, start) for start in STARTS} for group in (known, unknown)]
    print("start  known places                       unknown place")
    for start in STARTS:
        print(f"{start:.2f}   " + "   ".join(line(table[start]) for table in tables))
    for label, chosen_on, group in (
        ("known places, chosen on the unknown one", tables[1], known),
        ("unknown place, chosen on the known ones", tables[0], unknown),
    ):
        start = best([chosen_on])
        print(f"{label}: {start}  {line(score_all(group, start))}")
        print(f"  motion alone: {line(score_all(group, start, use_embeddings=False))}")
    print(f"chosen over both: {best(tables)}")


if __name__ == "__main__":
    main()
