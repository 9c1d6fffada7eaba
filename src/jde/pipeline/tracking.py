import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, Protocol, runtime_checkable

from threadpoolctl import ThreadpoolController

from jde.pipeline.ahead import ahead
from jde.pipeline.result_files import ResultFiles
from jde.pipeline.stopwatch import Stopwatch
from jde.structures.detections import Detections
from jde.structures.frame import Frame, Image
from jde.structures.tracks import Tracks
from jde.tracking.reporting import reportable
from jde.tracking.tracker import Tracker
from jde.video.drawing import paint_tracks
from jde.video.source import VideoSource
from jde.video.traces import Traces
from jde.video.writer import VideoWriter

FRAMES_AHEAD = 2
"""Frames that wait before a stage: enough that none runs dry, few enough to stay current."""


@runtime_checkable
class BatchDetector(Protocol):
    """Whatever finds people in pictures."""

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        """Return the people in each of several pictures."""


class TrackedFrame(NamedTuple):
    """A frame and who is in it."""

    frame: Frame
    tracks: Tracks


class _SeenFrame(NamedTuple):
    frame: Frame
    detections: Detections


@dataclass(frozen=True, kw_only=True, slots=True)
class Sinks:
    """Where the tracks of a video go; who makes them closes them.

    Attributes:
        results: Text files of the tracks.
        video: The video with the tracks drawn into it.
        show_scores: Write the confidence into the drawn labels.
    """

    results: ResultFiles | None = None
    video: VideoWriter | None = None
    show_scores: bool = False


@dataclass(slots=True)
class TrackingRun:
    """One video on its way from pixels to tracks, every stage in a thread of its own.

    Decoding, detection, association with writing, and drawing with encoding overlap; the frames
    keep their order, and neither the batch nor the threads change who is who.

    ```python
    run = TrackingRun(source, detector, Tracker(frame_rate=source.frame_rate))
    for frame, tracks in run:
        ...
    print(run.frames_per_second, run.stopwatch.bottleneck)
    ```

    Attributes:
        source: Where the frames come from.
        detector: Finds the people in them.
        tracker: Says who is who; new for every video.
        sinks: Files to write on the way.
        batch: Pictures that the detector gets at once; a live source never waits for more than one.
        frames: Frames finished so far.
        identities: People reported so far.
        seconds: Time the run has taken so far.
        stopwatch: Time that each stage was busy.
    """

    source: VideoSource
    detector: BatchDetector
    tracker: Tracker
    sinks: Sinks = field(default_factory=Sinks)
    batch: int = 1
    frames: int = 0
    identities: set[int] = field(default_factory=set)
    seconds: float = 0.0
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def __iter__(self) -> Generator[TrackedFrame, None, None]:
        """Yield every finished frame; the video's pixels then have the tracks drawn into them."""
        start = time.perf_counter()
        steps = self._drawn(self._stages())
        try:
            # OpenBLAS keeps spinning threads that would take a core from the network.
            with ThreadpoolController().select(internal_api="openblas").limit(limits=1):
                for step in steps:
                    self.frames += 1
                    self.identities.update(step.tracks.ids.tolist())
                    self.seconds = time.perf_counter() - start
                    yield step
        finally:
            self.source.close()
            steps.close()
            self.seconds = time.perf_counter() - start

    @property
    def frames_per_second(self) -> float:
        """Finished frames by the time they took, all stages included."""
        return self.frames / self.seconds if self.seconds else 0.0

    def _stages(self) -> Generator[TrackedFrame, None, None]:
        batch = 1 if self.source.live else self.batch
        decoded = ahead(self.stopwatch.timed("decode", self.source), max(FRAMES_AHEAD, batch))
        seen = ahead(self._seen(decoded, batch), max(FRAMES_AHEAD, batch))
        return self._tracked(seen)

    def _seen(
        self, frames: Generator[Frame, None, None], batch: int
    ) -> Generator[_SeenFrame, None, None]:
        try:
            for group in _groups(frames, batch):
                with self.stopwatch.measure("detect"):
                    found = self.detector.batch([frame.image for frame in group])
                for frame, detections in zip(group, found, strict=True):
                    yield _SeenFrame(frame, detections)
        finally:
            frames.close()

    def _tracked(
        self, seen: Generator[_SeenFrame, None, None]
    ) -> Generator[TrackedFrame, None, None]:
        try:
            for frame, detections in seen:
                with self.stopwatch.measure("track"):
                    tracks = self.tracker.update(detections, frame.seconds)
                    shown = reportable(tracks, self.tracker.config)
                if self.sinks.results is not None:
                    with self.stopwatch.measure("write"):
                        self.sinks.results.add(frame, shown)
                yield TrackedFrame(frame, shown)
        finally:
            seen.close()

    def _drawn(
        self, tracked: Generator[TrackedFrame, None, None]
    ) -> Generator[TrackedFrame, None, None]:
        video = self.sinks.video
        if video is None:
            yield from tracked
            return
        traces = Traces()
        steps = ahead(tracked, FRAMES_AHEAD)
        try:
            for frame, tracks in steps:
                with self.stopwatch.measure("draw"):
                    traces.add(tracks)
                    paint_tracks(frame.image, tracks, traces, show_scores=self.sinks.show_scores)
                with self.stopwatch.measure("encode"):
                    video.write(frame.image, frame.seconds)
                yield TrackedFrame(frame, tracks)
        finally:
            steps.close()


def _groups(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    iterator = iter(frames)
    while group := list(islice(iterator, size)):
        yield group
