"""A 1080p H.264 file in, tracks.txt out: the rate, and its share of the slowest stage alone.

    python benchmarks/end_to_end.py --preset jde-nano --frames 100 200 400 --people 10 50 200

The detector does all its work on every frame; its people are then replaced by simulated ones, so
that random weights track as many as asked. One row for each length and number of people: the time
of a frame should depend on neither, and the memory not on the length.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jde.benchmarking.contestants import Wish
from jde.benchmarking.drawn_video import write_drawn_video
from jde.benchmarking.end_to_end import run_whole
from jde.benchmarking.machine import describe_machine
from jde.benchmarking.opening import open_contestants
from jde.benchmarking.simulated_crowd import SimulatedCrowd
from jde.benchmarking.stages import Effort, endless, measure_tracker, score_of_candidate
from jde.benchmarking.timing import measure_in_turn
from jde.imaging.letterboxing import letterbox_image
from jde.model.detector import Detector
from jde.structures.detections import Detections
from jde.structures.frame import Image

STATUS = Path("/proc/self/status")


class CrowdDetector:
    """Does a detector's work, then returns simulated people.

    Args:
        detector: Whose work is done.
        people: How many are about.
    """

    def __init__(self, detector: Detector, people: int) -> None:
        self.detector = detector
        self.crowd = SimulatedCrowd(people, seed=people, dim=detector.config.embedding_dim)

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        """Return simulated people for each picture."""
        return [self.crowd.next_frame() for _ in self.detector.batch(images)]


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", help="random weights of this configuration")
    parser.add_argument("--weights", default="jde-nano", help="or exported file, 8-bit ones too")
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--size", type=int, nargs=2)
    parser.add_argument("--frames", type=int, nargs="+", default=[100])
    parser.add_argument("--people", type=int, nargs="+", default=[50])
    parser.add_argument("--threads", type=int)
    parser.add_argument("--video", action="store_true", help="also write the video of the tracks")
    return parser.parse_args()


def main() -> None:
    """Measure and print the table."""
    options = arguments()
    wish = Wish(
        weights=options.weights,
        preset=options.preset,
        engines=(options.engine,),
        size=tuple(options.size) if options.size else None,
        threads=options.threads,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contestants = open_contestants(wish, folder)
        (engine,) = contestants.engines.values()
        machine = describe_machine()
        print(f"{machine['processor']}, {machine['cores']} cores, load {machine['load']}")
        print(f"{contestants.config.architecture} {engine.input_size}, {engine.name}")
        for frames in options.frames:
            video = folder / f"{frames}.mp4"
            write_drawn_video(video, size=(1920, 1080), people=50, frames=frames)
            detector = with_candidates(Detector(engine, contestants.config), video)
            for people in options.people:
                print(row(video, detector, people, folder, draws=options.video), flush=True)


def with_candidates(detector: Detector, video: Path) -> Detector:
    """Return the detector with the threshold that 200 anchors of the first frame pass."""
    fitted, _ = letterbox_image(next(endless(video)).image, detector.input_size)
    least = score_of_candidate(detector.engine(fitted[None]), 200)
    settings = replace(detector.settings, min_score=least)
    return Detector(detector.engine, detector.config, settings)


def row(video: Path, detector: Detector, people: int, folder: Path, *, draws: bool) -> str:
    """Return a row of the table."""
    frames = endless(video)
    image = next(frames).image
    times = measure_in_turn(
        {"decode": lambda: next(frames), "detect": lambda: detector(image)}, rounds=20
    )
    alone = {name: timing.median for name, timing in times.items()}
    effort = Effort(rounds=40)
    alone["track"] = measure_tracker(people, detector.config.embedding_dim, effort).median
    crowd = CrowdDetector(detector, people)
    whole = run_whole(video, crowd, folder / "run", alone=alone, draws=draws)
    stages = ", ".join(f"{name} {value:.1f}" for name, value in whole.stages.items())
    return (
        f"{whole.frames:5d} frames, {people:4d} people: {whole.frames_per_second:6.2f} frames/s, "
        f"{100 * whole.share:3.0f} % of {whole.slowest} alone ({alone[whole.slowest]:.1f} ms), "
        f"{whole.processor:.1f} ms of all cores a frame, {resident()}; busy: {stages}"
    )


def resident() -> str:
    """Return the memory this process holds, where Linux tells."""
    lines = STATUS.read_text().splitlines() if STATUS.exists() else []
    sizes = [int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")]
    return f"{sizes[0]} MiB" if sizes else "memory unknown"


if __name__ == "__main__":
    main()
