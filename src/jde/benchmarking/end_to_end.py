"""A video file in, tracks out: the whole path, with its stages overlapping."""

import time
from dataclasses import dataclass
from pathlib import Path

from jde.benchmarking.machine import core_count
from jde.pipeline.job import TrackingJob, milliseconds_per_frame
from jde.pipeline.tracking import BatchDetector, StagedDetector
from jde.video.reading import read_video


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeRun:
    """A run from a video file to tracks.

    Attributes:
        frames: Length of the video.
        identities: People that were reported.
        frames_per_second: All stages and the writing of files included.
        processor: Milliseconds of all cores together for one frame.
        busy: Part of the cores' time that was used, 0 to 1.
        slowest: Stage that took longest.
        share: Rate as a part of what the slowest stage alone would reach, 0 to 1.
        stages: Milliseconds that each stage was busy with one frame.
    """

    frames: int
    identities: int
    frames_per_second: float
    processor: float
    busy: float
    slowest: str
    share: float
    stages: dict[str, float]


def run_whole(
    video: Path,
    detector: BatchDetector | StagedDetector,
    output: Path,
    *,
    alone: dict[str, float],
    draws: bool,
) -> WholeRun:
    """Return how fast a video becomes tracks.

    Args:
        video: File to read.
        detector: Finds the people.
        output: Folder for the results.
        alone: Milliseconds of each overlapping stage, measured alone.
        draws: Also write the video with the tracks drawn into it.
    """
    busy = time.process_time()
    run = TrackingJob(output=output, video=draws).run(read_video(video), detector).run
    busy = time.process_time() - busy
    slowest = max(alone, key=alone.__getitem__)
    return WholeRun(
        frames=run.frames,
        identities=len(run.identities),
        frames_per_second=run.frames_per_second,
        processor=1000 * busy / run.frames,
        busy=busy / (run.seconds * core_count()),
        slowest=slowest,
        share=run.frames_per_second * alone[slowest] / 1000,
        stages=milliseconds_per_frame(run),
    )
