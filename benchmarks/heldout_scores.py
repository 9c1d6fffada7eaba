"""Scores weights on the part of real sequences that a training held back.

    JDE_DATA=data python benchmarks/heldout_scores.py --weights jde-nano

Cuts the frames from `--start` (a share of the length) on into a sequence of their own, tracks it
with appearance and with motion alone, and prints the scores of both.
"""

import argparse
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from jde.commands.track import track, tracker_for
from jde.formats.mot_text import read_mot, write_mot
from jde.formats.seqinfo import read_seqinfo, write_seqinfo
from jde.imaging.picture_file import list_pictures
from jde.metrics.tracking_report import evaluate_tracking
from jde.weights.loading import load_detector

SCENES = ("TUD-Stadtmitte-a", "MOT17-09-a", "PETS09-S2L1-a")


def cut(sequence: Path, start: float, folder: Path) -> Path:
    """Write the frames of `sequence` from a share of its length on, and return the new folder."""
    info = read_seqinfo(sequence)
    pictures = list_pictures(info.image_folder)
    first = int(start * len(pictures))
    target = folder / sequence.name
    (target / "img1").mkdir(parents=True)
    (target / "gt").mkdir()
    for number, picture in enumerate(pictures[first:], start=1):
        shutil.copy(picture, target / "img1" / f"{number:06d}{picture.suffix}")
    rows = read_mot(sequence / "gt" / "gt.txt")
    kept = rows.where(rows.frames > first)
    write_mot(target / "gt" / "gt.txt", replace(kept, frames=kept.frames - first))
    cut_info = replace(info, image_folder=target / "img1", length=len(pictures) - first)
    write_seqinfo(target, cut_info, suffix=pictures[0].suffix)
    return target


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="jde-nano")
    parser.add_argument("--sequences", nargs="+", default=list(SCENES))
    parser.add_argument("--start", type=float, default=0.667)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("JDE_DATA", ".")))
    return parser.parse_args()


def main() -> None:
    """Cut, track and score."""
    options = arguments()
    detector = load_detector(options.weights)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cuts = [
            cut(options.data / "sequences" / sequence, options.start, folder / "truth")
            for sequence in options.sequences
        ]
        for label, uses in (("appearance and motion", True), ("motion alone", False)):
            config = replace(tracker_for(detector), use_embeddings=uses)
            results = folder / label.replace(" ", "-")
            results.mkdir()
            for sequence in cuts:
                track(sequence, detector, folder / "run", config=config, video=False)
                shutil.copy(folder / "run" / "tracks.txt", results / f"{sequence.name}.txt")
            print(label)
            print(evaluate_tracking(results, folder / "truth").table())


if __name__ == "__main__":
    main()
