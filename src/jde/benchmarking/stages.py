"""Each station from a file to tracks, measured alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jde.benchmarking.simulated_crowd import SimulatedCrowd, as_tracks
from jde.benchmarking.timing import Timing, measure_in_turn
from jde.imaging.letterboxing import letterbox_image
from jde.model.decoding import sigmoid
from jde.model.detector import Detector
from jde.model.head_maps import HeadMaps
from jde.structures.frame import Frame, Image, size_of
from jde.structures.letterbox import Letterbox
from jde.structures.tracks import Tracks
from jde.tracking.config import TrackerConfig
from jde.tracking.tracker import Tracker
from jde.video.canvas import Canvas
from jde.video.drawing import paint_tracks
from jde.video.reading import read_video
from jde.video.writer import VideoWriter

Action = Callable[[], object]

BELOW_CERTAINTY = 1 - 1e-6
"""Highest threshold: no score of float32 lies above 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How thoroughly to measure.

    Attributes:
        rounds: Samples of each stage.
        seconds: After which a stage that takes long gets no more of them.
    """

    rounds: int
    seconds: float = 8.0


class Sink(NamedTuple):
    """How many people are drawn, and the folder of the video they are drawn into."""

    people: int
    folder: Path


def measure_picture_stages(
    video: Path, detectors: dict[str, Detector], candidates: int, sink: Sink, effort: Effort
) -> dict[str, Timing]:
    """Return the time of every station from the file to the written video, but for the tracker.

    Args:
        video: File to read.
        detectors: By engine; what follows the network is measured with the first.
        candidates: Anchors that pass the threshold.
        sink: What is drawn, and where it goes.
        effort: How thoroughly to measure.
    """
    first = next(iter(detectors.values()))
    reader = Reader(video)
    fitted, letterbox = letterbox_image(reader.frame.picture, first.input_size)
    maps = first.engine(fitted[None])
    later = after_network(first, maps, letterbox, candidates)
    tracks = tracks_of(sink.people, reader.frame)
    actions: dict[str, Action] = {
        "decode video": reader.step,
        "letterbox": lambda: letterbox_image(reader.frame.picture, first.input_size),
        **{f"network, {name}": network_of(each, fitted) for name, each in detectors.items()},
        f"boxes, NMS, embeddings of {candidates}": later,
        "picture to draw on": lambda: Canvas(reader.frame.picture),
        f"draw {sink.people} people": lambda: paint_tracks(reader.frame.picture, tracks),
        "encode video": lambda: written.write(reader.frame.picture),
    }
    with VideoWriter(sink.folder / "encoded.mp4") as written:
        return measure_in_turn(
            actions, rounds=effort.rounds, seconds=effort.seconds * (1 + len(detectors))
        )


class Reader:
    """Keeps the newest frame of a video, so that each is scaled and converted afresh.

    Args:
        video: File to read, over and over.
    """

    def __init__(self, video: Path) -> None:
        self._frames = endless(video)
        self.frame = next(self._frames)

    def step(self) -> None:
        """Decode the next frame."""
        self.frame = next(self._frames)


def network_of(detector: Detector, fitted: Image) -> Action:
    """Return a run of a detector's network."""
    return lambda: detector.engine(fitted[None])


def after_network(
    detector: Detector, maps: HeadMaps, letterbox: Letterbox, candidates: int
) -> Action:
    """Return the step from head maps to detections, with a threshold that so many anchors pass."""
    settings = replace(detector.settings, min_score=score_of_candidate(maps, candidates))
    measured = Detector(detector.engine, detector.config, settings)
    return lambda: measured.detect(maps, 0, letterbox)


def score_of_candidate(maps: HeadMaps, candidates: int) -> float:
    """Return the score that so many anchors of the first picture exceed."""
    margins = np.concatenate(
        [(level.objectness[0][:, 1] - level.objectness[0][:, 0]).ravel() for level in maps.levels]
    )
    place = len(margins) - 1 - min(candidates, len(margins) - 1)
    last = np.partition(margins, place)[place : place + 1]
    return min(float(sigmoid(last)[0]), BELOW_CERTAINTY)


def measure_tracker(people: int, dim: int, effort: Effort) -> Timing:
    """Return the time of one step of the tracker with so many people about."""
    crowd = SimulatedCrowd(people, seed=people, dim=dim)
    warm_up = 10
    ready = [crowd.next_frame() for _ in range(effort.rounds + warm_up)]
    feed = iter(ready)
    tracker = Tracker(TrackerConfig(), frame_rate=30.0)
    name = "tracker"
    return measure_in_turn(
        {name: lambda: tracker.update(next(feed))},
        rounds=effort.rounds,
        warm_up=warm_up,
        seconds=effort.seconds,
    )[name]


def tracks_of(people: int, frame: Frame) -> Tracks:
    """Return so many people as a tracker would, scattered over the frame."""
    seen = SimulatedCrowd(people, seed=people, dim=8, miss=0.0).next_frame()
    return as_tracks(seen, size_of(frame.picture)[1])


def endless(video: Path) -> Iterator[Frame]:
    """Return the frames of a video over and over."""
    return chain.from_iterable(repeat(read_video(video)))
