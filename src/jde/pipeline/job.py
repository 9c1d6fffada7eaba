"""Track a whole video into a folder of files."""

import json
import platform
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jde.pipeline.result_files import Format, ResultFiles
from jde.pipeline.tracking import BatchDetector, Sinks, StagedDetector, TrackingRun
from jde.structures.errors import InputError
from jde.structures.letterbox import Size
from jde.tracking.config import TrackerConfig
from jde.tracking.tracker import Tracker
from jde.video.source import VideoSource
from jde.video.writer import VideoWriter

VIDEO_NAME, SUMMARY_NAME = "tracked.mp4", "summary.json"

PACKAGES = {
    "jde": "jde",
    "numpy": "numpy",
    "scipy": "scipy",
    "cv2": "opencv-python-headless",
    "av": "av",
    "torch": "torch",
    "openvino": "openvino",
    "onnxruntime": "onnxruntime",
    "tensorrt": "tensorrt",
}
"""Modules whose versions a result may depend on, and the packages that bring them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished job left behind.

    Attributes:
        run: Counts and times.
        files: Everything that was written.
    """

    run: TrackingRun
    files: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingJob:
    """How to track a video, and which files to leave in which folder.

    Attributes:
        output: Folder of the files; made where missing, files of ours in it are replaced.
        config: How detections become tracks.
        formats: Text files to write.
        video: Also write the video with the tracks drawn into it.
        show_scores: Write the confidence into the drawn labels.
        batch: Pictures that the detector gets at once.
        weights: What the detector was loaded from, for the summary.
    """

    output: Path
    config: TrackerConfig = field(default_factory=TrackerConfig)
    formats: tuple[Format, ...] = ("mot",)
    video: bool = True
    show_scores: bool = False
    batch: int = 1
    weights: str = ""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise InputError(f"batch must be 1 or more, got {self.batch}")

    def run(
        self,
        source: VideoSource,
        detector: BatchDetector | StagedDetector,
        on_frame: Callable[[TrackingRun], None] | None = None,
    ) -> Outcome:
        """Track the video and write the files.

        A broken or interrupted run leaves the files of the frames it finished, and says so in the
        summary.

        Args:
            source: The video; it is closed in the end.
            detector: Finds the people.
            on_frame: Called after every finished frame, to show progress.

        Raises:
            InputError: The files can't be written, or would replace the video.
        """
        self._spare(source)
        tracker = Tracker(self.config, frame_rate=source.frame_rate)
        complete = False
        with ExitStack() as files:
            sinks = self._open(files, source, class_names(detector))
            run = TrackingRun(source, detector, tracker, sinks, self.batch)
            written = self._names(sinks)
            files.callback(lambda: self._summarise(run, written, complete=complete))
            for _ in run:
                if on_frame is not None:
                    on_frame(run)
            complete = not source.losses
        return Outcome(run, written)

    def _spare(self, source: VideoSource) -> None:
        result, origin = self.output / VIDEO_NAME, Path(source.origin)
        if self.video and result.exists() and origin.exists() and result.samefile(origin):
            raise InputError(f"{origin}: the result would replace it; choose another output folder")

    def _open(self, files: ExitStack, source: VideoSource, names: tuple[str, ...]) -> Sinks:
        results = files.enter_context(ResultFiles(self.output, self.formats, names))
        video = None
        if self.video:
            writer = VideoWriter(self.output / VIDEO_NAME, source.frame_rate)
            video = files.enter_context(writer)
        return Sinks(results=results, video=video, show_scores=self.show_scores, class_names=names)

    def _names(self, sinks: Sinks) -> tuple[Path, ...]:
        results = tuple(sinks.results.paths.values()) if sinks.results else ()
        video = (sinks.video.path,) if sinks.video else ()
        return (*results, *video, self.output / SUMMARY_NAME)

    def _summarise(self, run: TrackingRun, written: tuple[Path, ...], *, complete: bool) -> None:
        source = run.source
        names = class_names(run.detector)
        summary = {
            "source": source.origin,
            "name": source.name,
            "complete": complete,
            "losses": source.losses,
            "width": source.size[0],
            "height": source.size[1],
            "video_frames_per_second": source.frame_rate,
            "weights": self.weights,
            "network_input": network_input(run.detector, source.size),
            "batch": self.batch,
            "streams": run.lanes,
            **({"classes": list(names)} if len(names) > 1 else {}),
            **counts_and_times(run),
            "files": [path.name for path in written],
            "versions": versions(),
        }
        path = self.output / SUMMARY_NAME
        try:
            path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: can't be written ({error.strerror})") from error


def network_input(detector: object, picture: Size) -> list[int] | None:
    """Return to which width and height a detector brings pictures; None where it doesn't say."""
    input_for = getattr(detector, "input_for", None)
    size = input_for(picture) if input_for else getattr(detector, "input_size", None)
    return list(size) if size else None


def class_names(detector: object) -> tuple[str, ...]:
    """Return what a detector calls its classes; nothing where it doesn't say."""
    return tuple(getattr(detector, "class_names", ()))


def counts_and_times(run: TrackingRun) -> dict[str, Any]:
    """Return what a run counted and measured, ready for JSON."""
    return {
        "frames": run.frames,
        "identities": len(run.identities),
        "seconds": round(run.seconds, 3),
        "frames_per_second": round(run.frames_per_second, 2),
        "milliseconds_per_frame": milliseconds_per_frame(run),
        "bottleneck": run.bottleneck,
        "cores_busy": round(cores_busy(run), 2),
    }


def milliseconds_per_frame(run: TrackingRun) -> dict[str, float]:
    """Return how long each stage was busy with a frame; stages overlap, so they don't add up.

    Where several frames are detected side by side, each still takes so long.
    """
    frames = max(run.frames, 1)
    return {
        stage: round(seconds / frames * 1000, 3) for stage, seconds in run.stopwatch.seconds.items()
    }


def cores_busy(run: TrackingRun) -> float:
    """Return how many cores the process kept busy on average."""
    return run.processor / run.seconds if run.seconds else 0.0


def versions() -> dict[str, str]:
    """Return the versions of Python and of the loaded packages that do the work."""
    found = {"python": platform.python_version()}
    for module, package in PACKAGES.items():
        if module in sys.modules:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
    return found
