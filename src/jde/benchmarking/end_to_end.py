"""A video file in, tracks out: the whole path, with its threads overlapping."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jde.engines.parallelism import core_count
from jde.pipeline.job import TrackingJob, milliseconds_per_frame
from jde.pipeline.tracking import BatchDetector, StagedDetector
from jde.video.reading import read_video


class Cost(NamedTuple):
    """Milliseconds that a thread takes for one frame, alone.

    Attributes:
        wall: Time on the wall.
        processor: Time of all cores together.
    """

    wall: float
    processor: float


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeRun:
    """A run from a video file to tracks.

    Attributes:
        frames: Length of the video.
        identities: People that were reported.
        frames_per_second: All stages and the writing of files included.
        processor: Milliseconds of all cores together for one frame.
        busy: Part of the cores' time that was used, 0 to 1.
        slowest: Thread that takes longest alone.
        share: Rate as a part of what the slowest thread reaches alone, 0 to 1.
        possible: Rate as a part of what the cores would reach if none ever waited, each thread
            taking as much of them as it does alone.
        stages: Milliseconds that each stage was busy with one frame.
    """

    frames: int
    identities: int
    frames_per_second: float
    processor: float
    busy: float
    slowest: str
    share: float
    possible: float
    stages: dict[str, float]


def run_whole(
    video: Path,
    detector: BatchDetector | StagedDetector,
    output: Path,
    *,
    alone: Mapping[str, Cost],
    draws: bool,
) -> WholeRun:
    """Return how fast a video becomes tracks.

    Args:
        video: File to read.
        detector: Finds the people.
        output: Folder for the results.
        alone: Cost of each thread, measured alone.
        draws: Also write the video with the tracks drawn into it.
    """
    busy = time.process_time()
    run = TrackingJob(output=output, video=draws).run(read_video(video), detector).run
    busy = time.process_time() - busy
    slowest = max(alone, key=lambda name: alone[name].wall)
    together = sum(cost.processor for cost in alone.values()) / core_count()
    return WholeRun(
        frames=run.frames,
        identities=len(run.identities),
        frames_per_second=run.frames_per_second,
        processor=1000 * busy / run.frames,
        busy=busy / (run.seconds * core_count()),
        slowest=slowest,
        share=run.frames_per_second * alone[slowest].wall / 1000,
        possible=run.frames_per_second * together / 1000,
        stages=milliseconds_per_frame(run),
    )
