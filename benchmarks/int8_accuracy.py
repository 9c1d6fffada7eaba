"""8 bits against float32 on real sequences: detections compared, tracks scored.

    JDE_DATA=data python benchmarks/int8_accuracy.py --weights jde-nano

Reference is PyTorch in float32. Beside the two runtimes in 8 bits stand OpenVINO in bfloat16 and
float32 itself on pictures whose pixels were moved by at most one grey level. They say how much of a
difference is chance: a box that passes the threshold in one run and fails in the other can change
who is who from there on. So every difference is also given as a mean over runs in which both
thresholds, of detections and of new tracks, are moved by `--shifts`.

Without `--calibration` the pictures that set the ranges are spread over the sequences themselves,
as a user takes pictures of the own camera; their labels play no part.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jde.engines.conversion import run_in_openvino
from jde.engines.graph_engine import GraphEngine
from jde.engines.torch_engine import TorchEngine
from jde.export.exporting import ExportSettings, export_network
from jde.export.parity import Parity, pair_up, summarise
from jde.export.quantisation import MAX_PICTURES, calibration_pictures, prepare
from jde.formats.mot_text import MotRows, read_mot
from jde.formats.seqinfo import read_seqinfo
from jde.imaging.picture_file import read_picture, spread_pictures
from jde.metrics.tracking_scores import TrackingScores, score_sequence
from jde.model.detector import Detector
from jde.model.network import JDENet
from jde.model.post_processing import PostProcessing
from jde.structures.detections import Detections
from jde.structures.frame import Image
from jde.tracking.config import TrackerConfig
from jde.tracking.tracker import Tracker
from jde.video.reading import read_video
from jde.weights.loading import load_detector
from jde.weights.running import load_whole_network

Find = Callable[[Image], Detections]

SEQUENCES = ("TUD-Stadtmitte-a", "PETS09-S2L1-a", "ETH-Sunnyday-a", "MOT17-09-a")
SHIFTS = (-0.1, -0.075, -0.05, -0.025, 0.0, 0.025, 0.05, 0.075, 0.1)
REFERENCE = "float32"
MIN_SCORE = PostProcessing().min_score
ALL = "all together"


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="jde-nano")
    parser.add_argument("--sequences", nargs="+", default=SEQUENCES)
    parser.add_argument("--calibration", type=Path, help="folder of pictures")
    parser.add_argument("--shifts", type=float, nargs="+", default=SHIFTS)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("JDE_DATA", ".")))
    return parser.parse_args()


def main() -> None:
    """Detect, track, score and print both tables."""
    options = arguments()
    network = load_whole_network(options.weights, size=None)
    sequences = [options.data / "sequences" / name for name in options.sequences]
    shifts = sorted({0.0, *options.shifts})
    with tempfile.TemporaryDirectory() as folder:
        pictures = calibration(network, options.calibration, sequences)
        finders = contestants(network, pictures, Path(folder), MIN_SCORE + shifts[0])
        found = {
            name: [look(sequence, find) for sequence in sequences] for name, find in finders.items()
        }
    print_detections(found)
    start = network.config.start_score
    scores = {
        name: np.array(
            [
                shares([score(*pair, start, shift) for pair in zip(sequences, seen, strict=True)])
                for shift in shifts
            ]
        )
        for name, seen in found.items()
    }
    print_scores(scores, [*options.sequences, ALL], shifts.index(0))


def calibration(network: JDENet, folder: Path | None, sequences: Sequence[Path]) -> list:
    """Return the pictures that set the ranges of 8 bits."""
    size = network.config.input_size
    if folder is not None:
        return calibration_pictures(folder, size)
    share = MAX_PICTURES // len(sequences)
    paths = [path for one in sequences for path in spread_pictures(one / "img1", share)]
    return prepare([read_picture(path) for path in paths], size)


def contestants(network: JDENet, pictures: list, folder: Path, min_score: float) -> dict[str, Find]:
    """Return what finds people, by the name in the tables; the reference comes first."""
    settings = PostProcessing(min_score=min_score)
    exact = Detector(TorchEngine(network, device="cpu"), network.config, settings)
    short = GraphEngine(run_in_openvino(network, precision="bfloat16"))
    finders: dict[str, Find] = {
        REFERENCE: exact,
        "float32, one grey level off": Noisy(exact),
        "openvino bfloat16": Detector(short, network.config, settings),
    }
    for path in (folder / "int8.xml", folder / "int8.onnx"):
        kind = "onnx" if path.suffix == ".onnx" else "openvino"
        export_network(network, path, ExportSettings(format=kind), calibration=pictures)
        finders[f"{kind} int8"] = load_detector(path, min_score=min_score)
    return finders


class Noisy:
    """Finds people in pictures whose pixels it moves by at most one grey level.

    Args:
        find: What finds them.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._rng = np.random.default_rng(0)

    def __call__(self, image: Image) -> Detections:
        """Return the people in a picture."""
        moved = image.astype(np.int16) + self._rng.integers(-1, 2, image.shape, np.int16)
        return self._find(moved.clip(0, 255).astype(np.uint8))


def look(sequence: Path, find: Find) -> list[Detections]:
    """Return what is found in every frame."""
    return [find(frame.image) for frame in read_video(sequence)]


def above(found: Detections, threshold: float) -> Detections:
    """Return the detections that a detector with this threshold finds.

    Suppression looks at better boxes only, so that none below the threshold plays a part.
    """
    kept = found.scores > np.float32(threshold)
    return found.where(kept)


def score(
    sequence: Path, found: list[Detections], start_score: float, shift: float
) -> TrackingScores:
    """Return the scores of tracking with both thresholds moved."""
    config = TrackerConfig(min_score=min(start_score + shift, 1.0))
    tracker = Tracker(config, frame_rate=read_seqinfo(sequence).frame_rate)
    tracks = [tracker.update(above(one, MIN_SCORE + shift)) for one in found]
    rows = MotRows.of_tracks(list(enumerate(tracks, start=1)))
    return score_sequence(rows, read_mot(sequence / "gt" / "gt.txt"), name=sequence.name)


def shares(scores: list[TrackingScores]) -> list[list[float]]:
    """Return MOTA and IDF1 of every sequence and of all together, in per cent."""
    columns = [one.as_dict() for one in [*scores, sum(scores, TrackingScores.zero())]]
    return [[100 * row["MOTA"], 100 * row["IDF1"]] for row in columns]


def print_detections(found: dict[str, list[list[Detections]]]) -> None:
    """Print how far the detections of each are from the reference's."""
    reference, *others = found
    print(f"| detections above {MIN_SCORE:g} | identical | box, pixels | score | cosine |")
    print("|---|---|---|---|---|")
    for name in others:
        parity = compare_all(found[reference], found[name])
        print(
            f"| {name} | {100 * parity.identical:.1f} % | {parity.box_error[0]:.2f} | "
            f"{parity.score_error[0]:.4f} | {parity.cosine[0]:.4f} |"
        )


def compare_all(first: list[list[Detections]], second: list[list[Detections]]) -> Parity:
    """Return how far detections are from those of a reference, over all sequences."""
    pairs = [
        pair_up(above(a, MIN_SCORE), above(b, MIN_SCORE))
        for one, other in zip(first, second, strict=True)
        for a, b in zip(one, other, strict=True)
    ]
    return summarise(pairs, MIN_SCORE)


def print_scores(scores: dict[str, np.ndarray], names: Sequence[str], place: int) -> None:
    """Print MOTA and IDF1 of each against the reference.

    Args:
        scores: Shares (shifts, sequences, 2) by what found the people.
        names: Of the sequences.
        place: Row of the shift by nothing.
    """
    print("\n| sequence | in | MOTA | | mean | IDF1 | | mean |")
    print("|---|---|---|---|---|---|---|---|")
    for column, sequence in enumerate(names):
        for name, values in scores.items():
            change = values[:, column] - scores[REFERENCE][:, column]
            cells = [
                f"{values[place, column, kind]:.1f} | {change[place, kind]:+.1f} | "
                f"{change[:, kind].mean():+.1f}"
                for kind in (0, 1)
            ]
            print(f"| {sequence} | {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
