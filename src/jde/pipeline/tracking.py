import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jde.pipeline.ahead import Item, ahead
from jde.pipeline.result_files import ResultFiles
from jde.pipeline.side_by_side import side_by_side
from jde.pipeline.stopwatch import Stopwatch
from jde.structures.blas import ONE_BLAS_THREAD
from jde.structures.detections import Detections
from jde.structures.frame import Frame, Image, Picture, pixels_of
from jde.structures.tracks import Tracks
from jde.tracking.reporting import reportable
from jde.tracking.tracker import Tracker
from jde.video.drawing import paint_tracks
from jde.video.source import VideoSource
from jde.video.traces import Traces
from jde.video.writer import VideoWriter

THREADS = (("decode", "prepare"), ("detect",), ("track", "write"), ("draw", "encode"))
"""Stages that share a thread, so that their times add up; the threads overlap. Of the thread that
detects there are as many as the detector has streams."""

FRAMES_AHEAD = 2
"""Frames that wait before a stage: enough that none runs dry, few enough to stay current."""


@runtime_checkable
class BatchDetector(Protocol):
    """Whatever finds people in pictures.

    With an attribute `streams` it says how many calls may be made at the same time, from a thread
    each; without, one call follows the other.
    """

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        """Return the people in each of several pictures."""


@runtime_checkable
class StagedDetector(Protocol):
    """A detector that lets its work before the network be done beside it.

    An attribute `streams` says how many calls of `find` may be made at the same time.
    """

    def fit(self, picture: Image | Picture) -> Any:
        """Return a picture in the form that `find` takes."""

    def find(self, pictures: Sequence[Any]) -> list[Detections]:
        """Return the people in each of several pictures."""


class WholePictures:
    """Gives a detector that knows one step only all pixels of every picture.

    Args:
        detector: Finds the people.
    """

    def __init__(self, detector: BatchDetector) -> None:
        self.find = detector.batch

    def fit(self, picture: Image | Picture) -> Image:
        """Return all pixels."""
        return pixels_of(picture)


class TrackedFrame(NamedTuple):
    """A frame and who is in it."""

    frame: Frame
    tracks: Tracks


class _ReadyFrame(NamedTuple):
    frame: Frame
    picture: Any
    """In the form that the detector takes."""


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
        class_names: What the classes are called; several are written into the drawn labels.
    """

    results: ResultFiles | None = None
    video: VideoWriter | None = None
    show_scores: bool = False
    class_names: tuple[str, ...] = ()


@dataclass(slots=True)
class TrackingRun:
    """One video on its way from pixels to tracks, every stage in a thread of its own.

    Decoding with scaling, detection, association with writing, and drawing with encoding
    overlap; the frames keep their order, and neither the batch nor the threads change who is who.
    A detector with several streams works on as many frames side by side, except for a live source,
    whose newest frame would only come later.
    Of a video file only as many pixels are made as are needed: those of the network's input. Tracks
    are drawn on the luma and chroma that the encoder takes.

    ```python
    run = TrackingRun(source, detector, Tracker(frame_rate=source.frame_rate))
    for frame, tracks in run:
        ...
    print(run.frames_per_second, run.bottleneck)
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
        processor: Seconds of all cores together that the process has used for it so far.
        stopwatch: Time that each stage was busy.
    """

    source: VideoSource
    detector: BatchDetector | StagedDetector
    tracker: Tracker
    sinks: Sinks = field(default_factory=Sinks)
    batch: int = 1
    frames: int = 0
    identities: set[int] = field(default_factory=set)
    seconds: float = 0.0
    processor: float = 0.0
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def __iter__(self) -> Generator[TrackedFrame, None, None]:
        """Yield every finished frame; the video's pixels then have the tracks drawn into them."""
        start, busy = time.perf_counter(), time.process_time()
        steps = self._drawn(self._stages())
        try:
            with ONE_BLAS_THREAD:
                for step in steps:
                    self.frames += 1
                    self.identities.update(step.tracks.ids.tolist())
                    self.seconds = time.perf_counter() - start
                    yield step
        finally:
            self.source.close()
            steps.close()
            self.seconds = time.perf_counter() - start
            self.processor = time.process_time() - busy

    @property
    def bottleneck(self) -> str | None:
        """Stages of the thread that was busy longest, such as `draw + encode`."""
        return self.stopwatch.slowest(THREADS)

    @property
    def lanes(self) -> int:
        """Threads of the detection."""
        return 1 if self.source.live else getattr(self.detector, "streams", 1)

    @property
    def frames_per_second(self) -> float:
        """Finished frames by the time they took, all stages included."""
        return self.frames / self.seconds if self.seconds else 0.0

    def _stages(self) -> Generator[TrackedFrame, None, None]:
        batch = 1 if self.source.live else self.batch
        depth = max(FRAMES_AHEAD, batch)
        given = self.detector
        detector = given if isinstance(given, StagedDetector) else WholePictures(given)
        frames = self.stopwatch.timed("decode", self.source)
        ready = ahead(self._ready(frames, detector), depth)
        seen = ahead(self._seen(ready, detector, batch), depth)
        return self._tracked(seen)

    def _ready(
        self, frames: Generator[Frame, None, None], detector: StagedDetector
    ) -> Generator[_ReadyFrame, None, None]:
        try:
            for frame in frames:
                with self.stopwatch.measure("prepare"):
                    picture = detector.fit(frame.picture)
                yield _ReadyFrame(frame, picture)
        finally:
            frames.close()

    def _seen(
        self, ready: Generator[_ReadyFrame, None, None], detector: StagedDetector, batch: int
    ) -> Generator[_SeenFrame, None, None]:
        def see(group: list[_ReadyFrame]) -> list[_SeenFrame]:
            with self.stopwatch.measure("detect"):
                found = detector.find([each.picture for each in group])
            return [
                _SeenFrame(each.frame, detections)
                for each, detections in zip(group, found, strict=True)
            ]

        self.stopwatch.lanes["detect"] = self.lanes
        groups = side_by_side(see, _groups(ready, batch), self.lanes)
        try:
            for seen in groups:
                yield from seen
        finally:
            groups.close()
            ready.close()

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
                    paint_tracks(
                        frame.picture,
                        tracks,
                        traces,
                        show_scores=self.sinks.show_scores,
                        class_names=self.sinks.class_names,
                    )
                with self.stopwatch.measure("encode"):
                    video.write(frame.picture, frame.seconds)
                yield TrackedFrame(frame, tracks)
        finally:
            steps.close()


def _groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
