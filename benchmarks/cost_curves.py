"""What tracking costs as videos get longer and places fuller: time and memory.

    python benchmarks/cost_curves.py --output cost.json --plot docs/cost.png

Over the frames: a tracker alone with 50 people (512-d embeddings, misses, people who leave for
good), and the whole path from an H.264 file to text with jde-nano. Time and memory should be flat.
Over the people: the tracker, and the whole path with so many simulated people in place of those
that the network saw. Times are processor time of all cores, as it suffers least from other
programs; memory is that of the process.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

from end_to_end import CrowdDetector
from jde.benchmarking.drawn_video import write_drawn_video
from jde.benchmarking.machine import describe_machine, resident_mebibytes
from jde.benchmarking.simulated_crowd import SimulatedCrowd
from jde.model.detector import Detector
from jde.pipeline.result_files import ResultFiles
from jde.pipeline.tracking import Sinks, TrackingRun
from jde.tracking.tracker import Tracker
from jde.video.reading import read_video
from jde.weights.loading import load_detector

WARM_UP = 20
"""Frames before the first that counts."""

STRETCHES = 20
"""Parts of a long run that get a point each."""

COLOURS = {"tracker": "#b85c38", "video to text": "#4878a8"}


@dataclass(slots=True)
class Curve:
    """Cost of a frame along an axis.

    Attributes:
        at: Frame numbers, or people.
        milliseconds: Processor time of a frame there.
        mebibytes: Memory of the process then.
    """

    at: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    mebibytes: list[float | None] = field(default_factory=list)

    def add(self, at: int, milliseconds: float) -> None:
        """Take in a point."""
        self.at.append(at)
        self.milliseconds.append(round(milliseconds, 3))
        self.mebibytes.append(resident_mebibytes())


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracker-frames", type=int, default=20_000)
    parser.add_argument("--video-frames", type=int, default=4_000)
    parser.add_argument("--people", type=int, nargs="+", default=[10, 50, 100, 200, 350, 500])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    machine = describe_machine()
    print(f"{machine['processor']}, {machine['cores']} cores, load {machine['load']}")
    with TemporaryDirectory() as name, threadpool_limits(1, "blas"):
        detector = load_detector("jde-nano")
        assert isinstance(detector, Detector)
        videos = Videos(Path(name), detector)
        lengths = {
            "tracker": tracker_over_frames(options.tracker_frames),
            "video to text": videos.over_frames(options.video_frames),
        }
        crowds = {
            "tracker": tracker_over_people(options.people),
            "video to text": videos.over_people(options.people),
        }
    for axis, curves in {"frame": lengths, "people": crowds}.items():
        for curve_name, curve in curves.items():
            print("\n".join(rows(axis, curve_name, curve)), flush=True)
    if options.output:
        found = {"machine": machine, "frames": plain(lengths), "people": plain(crowds)}
        options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if options.plot:
        draw(lengths, crowds, options.plot)


def plain(curves: dict[str, Curve]) -> dict[str, object]:
    """Return curves as they go into a JSON file."""
    return {name: asdict(curve) for name, curve in curves.items()}


def rows(axis: str, name: str, curve: Curve) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"\n{name:<14} {axis:>7}  CPU ms/frame   MiB"
    for at, milliseconds, mebibytes in zip(
        curve.at, curve.milliseconds, curve.mebibytes, strict=True
    ):
        yield f"{'':<14} {at:7d}  {milliseconds:12.3f}   {mebibytes}"


def tracker_over_frames(frames: int, people: int = 50) -> Curve:
    """Return what a tracker's step costs along a long video."""
    crowd = SimulatedCrowd(people, seed=0, turnover=0.01)
    tracker, curve = Tracker(frame_rate=30.0), Curve()
    step = max(frames // STRETCHES, 1)
    for end in range(step, frames + 1, step):
        busy = 0.0
        for _ in range(step):
            detections = crowd.next_frame()
            busy -= time.process_time()
            tracker.update(detections)
            busy += time.process_time()
        curve.add(end, 1000 * busy / step)
    return curve


def tracker_over_people(numbers: Sequence[int], frames: int = 60) -> Curve:
    """Return what a tracker's step costs with so many people about."""
    curve = Curve()
    for people in numbers:
        crowd = SimulatedCrowd(people, seed=people)
        seen = [crowd.next_frame() for _ in range(frames + WARM_UP)]
        tracker = Tracker(frame_rate=30.0)
        for detections in seen[:WARM_UP]:
            tracker.update(detections)
        busy = time.process_time()
        for detections in seen[WARM_UP:]:
            tracker.update(detections)
        curve.add(people, 1000 * (time.process_time() - busy) / frames)
    return curve


class Videos:
    """Whole runs over drawn videos.

    Args:
        folder: For videos and results.
        detector: Does its work on every frame.
    """

    def __init__(self, folder: Path, detector: Detector) -> None:
        self.folder = folder
        self.detector = detector

    def over_frames(self, frames: int) -> Curve:
        """Return what a frame costs along a long video."""
        curve = Curve()
        step = max(frames // STRETCHES, 1)
        run = self._run(frames, people=50)
        mark = time.process_time()
        for _ in run:
            if run.frames % step == 0:
                now = time.process_time()
                if run.frames > WARM_UP:
                    curve.add(run.frames, 1000 * (now - mark) / step)
                mark = now
        return curve

    def over_people(self, numbers: Sequence[int], frames: int = 100) -> Curve:
        """Return what a frame costs with so many people about."""
        curve = Curve()
        for people in numbers:
            run = self._run(frames + WARM_UP, people)
            busy = 0.0
            for _ in run:
                if run.frames == WARM_UP:
                    busy = time.process_time()
            curve.add(people, 1000 * (time.process_time() - busy) / frames)
        return curve

    def _run(self, frames: int, people: int) -> TrackingRun:
        path = self.folder / f"{frames}.mp4"
        if not path.exists():
            write_drawn_video(path, size=(640, 360), people=12, frames=frames)
        video = read_video(path)
        results = ResultFiles(self.folder / "results")
        crowd = CrowdDetector(self.detector, people)
        return TrackingRun(
            video, crowd, Tracker(frame_rate=video.frame_rate), Sinks(results=results)
        )


def draw(lengths: dict[str, Curve], crowds: dict[str, Curve], path: Path) -> None:
    """Write the picture of all curves."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    times, memory, people = figure.subplots(1, 3)
    for name, curve in lengths.items():
        whole = curve.at[-1]
        along = [100 * at / whole for at in curve.at]
        times.plot(along, curve.milliseconds, color=COLOURS[name], label=f"{name}, {whole} frames")
        memory.plot(along, curve.mebibytes, color=COLOURS[name])
    for name, curve in crowds.items():
        people.plot(curve.at, curve.milliseconds, "o-", markersize=3, color=COLOURS[name])
    times.set(xlabel="% of the video", ylabel="ms of all cores for a frame", yscale="log")
    times.set_title("time along a video, 50 people", fontsize=10)
    times.legend(fontsize=8)
    memory.set(xlabel="% of the video", ylabel="MiB of the process")
    memory.set_title("memory along a video", fontsize=10)
    memory.set_ylim(bottom=0)
    people.set(xlabel="people in a frame", ylabel="ms of all cores for a frame", xlim=(0, None))
    people.set_title("time by people", fontsize=10)
    people.set_ylim(bottom=0)
    for panel in (times, memory, people):
        panel.grid(alpha=0.3)
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
