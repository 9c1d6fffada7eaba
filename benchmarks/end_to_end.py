"""A 1080p H.264 file in, tracks (and a video of them) out: the rate, and what limits it.

    python benchmarks/end_to_end.py --video --frames 300
    python benchmarks/end_to_end.py --preset jde-darknet53-1088x608 --frames 100
    python benchmarks/end_to_end.py --preset jde-darknet53-1088x608 --engine openvino:int8
    python benchmarks/end_to_end.py --streams 1 2 --rounds 5

First each thread of the pipeline runs alone over the whole video, then all of them together; rates
and processor time of both stand side by side. Two limits count: the rate of the slowest thread
alone, and the rate that the cores would reach if none ever waited. The detector does all its work
on every frame; its people are then replaced by simulated ones, so that as many are tracked and
drawn as asked. `--threads 1 2` runs all for each number of the network's threads. `--streams 1 2`
compares frames in the network one after the other with two side by side: the whole path in turn,
`--rounds` times, medians and their ratio.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from jde.benchmarking.contestants import Wish
from jde.benchmarking.drawn_video import write_drawn_video
from jde.benchmarking.end_to_end import Cost, WholeRun, run_whole
from jde.benchmarking.machine import describe_machine
from jde.benchmarking.opening import open_contestants
from jde.benchmarking.simulated_crowd import SimulatedCrowd
from jde.benchmarking.stages import endless, score_of_candidate
from jde.engines.parallelism import Parallelism, core_count
from jde.imaging.letterboxing import Fitted, letterbox_image
from jde.model.detector import Detector
from jde.pipeline.result_files import ResultFiles
from jde.pipeline.side_by_side import side_by_side
from jde.structures.detections import Detections
from jde.structures.frame import Frame, Image, Picture
from jde.structures.tracks import Tracks
from jde.tracking.tracker import Tracker
from jde.video.drawing import paint_tracks
from jde.video.reading import read_video
from jde.video.traces import Traces
from jde.video.writer import VideoWriter

HELD = 24
"""Decoded or fitted frames that are kept in memory to feed a thread that runs alone."""

SETTLE_SECONDS = 0.1
"""For the decoder's threads to finish what they do ahead."""

CANDIDATES = 200
"""Anchors above the threshold of every frame."""


Crowded = tuple[Fitted, Detections]
"""A picture as the network takes it, and the simulated people in it."""


class CrowdDetector:
    """Does a detector's work, then returns simulated people.

    Args:
        detector: Whose work is done.
        people: How many are about.
    """

    def __init__(self, detector: Detector, people: int) -> None:
        self.detector = detector
        self.crowd = SimulatedCrowd(people, seed=people, dim=detector.config.embedding_dim)
        self.ready = [self.crowd.next_frame() for _ in range(HELD)]
        self.again = cycle([*self.ready, *self.ready[-2:0:-1]])

    @property
    def streams(self) -> int:
        """Calls of `find` that may be made at the same time."""
        return self.detector.streams

    def fit(self, picture: Image | Picture) -> Crowded:
        """Return a picture as the detector's network takes it, and who will be found in it.

        They walk forth and back.
        """
        return self.detector.fit(picture), next(self.again)

    def find(self, pictures: Sequence[Crowded]) -> list[Detections]:
        """Return the simulated people of each picture."""
        self.detector.find([fitted for fitted, _ in pictures])
        return [people for _, people in pictures]


def main() -> None:
    """Measure and print a block for each length, number of people and number of threads."""
    options = arguments()
    machine = describe_machine()
    print(f"{machine['processor']}, {machine['cores']} cores, load {machine['load']}")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for frames in options.frames:
            video = folder / f"{frames}.mp4"
            write_drawn_video(video, size=tuple(options.video_size), people=50, frames=frames)
            for threads in options.threads:
                detectors = [
                    open_detector(options, Parallelism(threads, streams), video, folder)
                    for streams in options.streams
                ]
                for people in options.people:
                    crowds = [CrowdDetector(detector, people) for detector in detectors]
                    print(f"\nnetwork's threads: {threads or 'as many as there are cores'}")
                    for crowd in crowds:
                        report(video, crowd, folder, draws=options.video)
                    if len(crowds) > 1:
                        compare(video, crowds, folder, options)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", help="random weights of this configuration")
    parser.add_argument("--weights", default="jde-nano", help="or exported file, 8-bit ones too")
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--size", type=int, nargs=2)
    parser.add_argument("--video-size", type=int, nargs=2, default=(1920, 1080))
    parser.add_argument("--frames", type=int, nargs="+", default=[200])
    parser.add_argument("--people", type=int, nargs="+", default=[50])
    parser.add_argument("--threads", type=int, nargs="+", default=[None])
    parser.add_argument("--streams", type=int, nargs="+", default=[1], help="frames side by side")
    parser.add_argument("--rounds", type=int, default=3, help="of the comparison of streams")
    parser.add_argument("--video", action="store_true", help="also write the video of the tracks")
    return parser.parse_args()


def open_detector(
    options: argparse.Namespace, parallelism: Parallelism, video: Path, folder: Path
) -> Detector:
    """Return the detector with the threshold that some anchors of the first frame pass."""
    wish = Wish(
        weights=options.weights,
        preset=options.preset,
        engines=(options.engine,),
        size=tuple(options.size) if options.size else None,
        threads=parallelism.threads,
        streams=parallelism.streams,
    )
    contestants = open_contestants(wish, folder)
    (engine,) = contestants.engines.values()
    detector = Detector(engine, contestants.config)
    print(
        f"{contestants.config.architecture} {engine.input_size}, {engine.name}, "
        f"streams: {engine.streams}"
    )
    fitted, _ = letterbox_image(next(endless(video)).image, detector.input_size)
    least = score_of_candidate(detector.engine(fitted[None]), CANDIDATES)
    return Detector(engine, contestants.config, replace(detector.settings, min_score=least))


def report(video: Path, crowd: CrowdDetector, folder: Path, *, draws: bool) -> None:
    """Print what each thread takes alone, and the whole."""
    frames = read_video(video).length or 0
    tracks: list[Tracks] = []
    alone = {
        "decode + prepare": decode_and_prepare(video, crowd),
        "detect": detect(video, crowd, frames),
        "track + write": track(crowd, folder, tracks, frames),
    }
    if draws:
        alone["draw + encode"] = draw_and_encode(video, folder, tracks)
    whole = run_whole(video, crowd, folder / "run", alone=alone, draws=draws)
    print(f"frames side by side: {crowd.streams}")
    print(f"{'alone':<18}  ms/frame  frames/s  ms of all cores")
    for name, cost in alone.items():
        print(f"{name:<18} {cost.wall:9.2f} {1000 / cost.wall:9.1f} {cost.processor:16.2f}")
    stages = ", ".join(f"{name} {value:.1f}" for name, value in whole.stages.items())
    print(
        f"together, {whole.frames} frames, {whole.identities} identities: "
        f"{whole.frames_per_second:.2f} frames/s\n"
        f"  {100 * whole.share:.0f} % of the slowest thread alone ({whole.slowest})\n"
        f"  {100 * whole.possible:.0f} % of what {core_count()} cores allow "
        f"({sum(cost.processor for cost in alone.values()):.1f} ms a frame alone, "
        f"{whole.processor:.1f} together, {100 * whole.busy:.0f} % of the cores' time used)\n"
        f"  busy, ms: {stages}",
        flush=True,
    )


def compare(
    video: Path, crowds: Sequence[CrowdDetector], folder: Path, options: argparse.Namespace
) -> None:
    """Print the rates of the whole path with each number of streams, measured in turn."""
    runs: list[list[WholeRun]] = [[] for _ in crowds]
    for _ in range(options.rounds):
        for crowd, found in zip(crowds, runs, strict=True):
            unknown = {"detect": Cost(1, 1)}
            found.append(
                run_whole(video, crowd, folder / "turn", alone=unknown, draws=options.video)
            )
    rates = [median(run.frames_per_second for run in found) for found in runs]
    print(f"in turn, medians of {options.rounds} rounds:")
    for crowd, found, rate in zip(crowds, runs, rates, strict=True):
        processor = median(run.processor for run in found)
        print(
            f"  {crowd.streams} side by side: {rate:.2f} frames/s, {rate / rates[0]:.2f}x, "
            f"{processor:.2f} ms of all cores a frame",
            flush=True,
        )


class Meter:
    """Adds up the time spent in its `with` blocks."""

    def __init__(self) -> None:
        self.wall = self.busy = 0.0

    def __enter__(self) -> None:
        self.wall -= time.perf_counter()
        self.busy -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.busy += time.process_time()

    def cost(self, frames: int) -> Cost:
        """Return what one of so many frames took."""
        return Cost(1000 * self.wall / frames, 1000 * self.busy / frames)


def decode_and_prepare(video: Path, crowd: CrowdDetector) -> Cost:
    """Return what the first thread takes."""
    meter, frames = Meter(), 0
    with meter:
        for frame in read_video(video):
            crowd.fit(frame.picture)
            frames += 1
    return meter.cost(frames)


def detect(video: Path, crowd: CrowdDetector, frames: int) -> Cost:
    """Return what a frame takes where frames are detected, their pictures in memory."""
    fitted = [[crowd.fit(frame.picture)] for frame in islice(read_video(video), HELD)]
    list(side_by_side(crowd.find, fitted[:3], crowd.streams))
    meter = Meter()
    with meter:
        for _ in side_by_side(crowd.find, islice(cycle(fitted), frames), crowd.streams):
            pass
    return meter.cost(frames)


def track(crowd: CrowdDetector, folder: Path, tracks: list[Tracks], frames: int) -> Cost:
    """Return what the third thread takes; the tracks are added to the list."""
    tracker = Tracker(frame_rate=25.0)
    blank = np.zeros((1, 1, 3), np.uint8)
    meter = Meter()
    with ResultFiles(folder / "alone") as results, meter:
        for index in range(1, frames + 1):
            tracks.append(tracker.update(next(crowd.again)))
            results.add(Frame(blank, index, index / 25), tracks[-1])
    return meter.cost(frames)


def draw_and_encode(video: Path, folder: Path, tracks: list[Tracks]) -> Cost:
    """Return what the last thread takes, its frames decoded and in memory."""
    traces, meter, frames = Traces(), Meter(), iter(read_video(video))
    with VideoWriter(folder / "alone.mp4") as writer:
        for start in range(0, len(tracks), HELD):
            held = list(islice(frames, HELD))
            time.sleep(SETTLE_SECONDS)
            with meter:
                for frame, shown in zip(held, tracks[start : start + HELD], strict=True):
                    traces.add(shown)
                    paint_tracks(frame.picture, shown, traces)
                    writer.write(frame.picture)
    return meter.cost(len(tracks))


if __name__ == "__main__":
    main()
