"""What is measured in which order."""

import logging
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jde.benchmarking.contestants import Contestants, Wish
from jde.benchmarking.drawn_video import write_drawn_video
from jde.benchmarking.end_to_end import Cost, WholeRun, run_whole
from jde.benchmarking.machine import describe_machine
from jde.benchmarking.opening import open_contestants
from jde.benchmarking.report import Report
from jde.benchmarking.stages import (
    Effort,
    Sink,
    measure_picture_stages,
    measure_tracker,
    score_of_candidate,
)
from jde.benchmarking.timing import Timing
from jde.imaging.letterboxing import letterbox_image
from jde.model.detector import Detector
from jde.structures.frame import Image
from jde.structures.letterbox import Size
from jde.video.reading import read_video

CANDIDATES_PER_PERSON = 2
"""Anchors that a random network is given for each person, in place of a threshold."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How a benchmark is made.

    Attributes:
        video: File to track; a drawn one where not given.
        video_size: Width and height of the drawn video.
        frames: Length of the drawn video, and samples of each stage.
        people: Numbers of people to measure the tracker with; the first is that of the video.
        candidates: Anchors that pass the threshold where boxes are measured.
    """

    video: Path | None = None
    video_size: Size = (1920, 1080)
    frames: int = 60
    people: tuple[int, ...] = (50,)
    candidates: int = 200


def measure(wish: Wish, plan: Plan) -> Report:
    """Return the times of every stage and of the whole path.

    Raises:
        InputError: Weights, engines or video can't be used.
    """
    effort = Effort(rounds=plan.frames)
    with tempfile.TemporaryDirectory(prefix="jde-benchmark-") as name:
        folder = Path(name)
        logger.info("preparing engines and video")
        contestants = open_contestants(wish, folder)
        video = plan.video or drawn_video(plan, folder)
        image = next(iter(read_video(video))).image
        detectors = make_detectors(contestants, image, plan, random=wish.preset is not None)
        machine = describe_machine()  # Before the benchmark itself is the load.
        logger.info("measuring each stage alone")
        sink = Sink(plan.people[0], folder)
        stages = measure_picture_stages(video, detectors, plan.candidates, sink, effort)
        dim = contestants.config.embedding_dim
        tracker = {people: measure_tracker(people, dim, effort) for people in plan.people}
        logger.info("measuring the whole path")
        detector = next(iter(detectors.values()))
        runs = measure_whole(video, detector, stages, tracker[plan.people[0]], folder)
    return Report(
        machine=machine,
        settings=describe(contestants, wish, plan, image),
        stages=stages,
        tracker=dict(sorted(tracker.items())),
        runs=runs,
        notes=contestants.notes,
    )


def drawn_video(plan: Plan, folder: Path) -> Path:
    """Return a file with a drawn video."""
    path = folder / "drawn.mp4"
    write_drawn_video(path, size=plan.video_size, people=plan.people[0], frames=plan.frames)
    return path


def make_detectors(
    contestants: Contestants, image: Image, plan: Plan, *, random: bool
) -> dict[str, Detector]:
    """Return a detector for each engine; a random network gets a threshold that some pass."""
    detectors = {
        name: Detector(engine, contestants.config) for name, engine in contestants.engines.items()
    }
    if not random:
        return detectors
    first = next(iter(detectors.values()))
    fitted, _ = letterbox_image(image, first.input_size)
    wanted = CANDIDATES_PER_PERSON * plan.people[0]
    settings = replace(
        first.settings, min_score=score_of_candidate(first.engine(fitted[None]), wanted)
    )
    return {name: Detector(each.engine, each.config, settings) for name, each in detectors.items()}


def measure_whole(
    video: Path, detector: Detector, stages: dict[str, Timing], tracker: Timing, folder: Path
) -> dict[str, WholeRun]:
    """Return the whole path without and with a video of the tracks."""
    alone = threads_alone(stages, tracker)
    read = {name: cost for name, cost in alone.items() if name != "draw + encode"}
    return {
        "tracks": run_whole(video, detector, folder / "text", alone=read, draws=False),
        "tracks and video": run_whole(video, detector, folder / "both", alone=alone, draws=True),
    }


def threads_alone(stages: dict[str, Timing], tracker: Timing) -> dict[str, Cost]:
    """Return the costs of what overlaps: stages that share a thread add up."""
    network = next(name for name in stages if name.startswith("network"))
    after = {name: timing for name, timing in stages.items() if name.startswith("boxes")}
    return {
        "decode + prepare": total(stages, "decode", "letterbox"),
        "detect": total({network: stages[network], **after}),
        "track": Cost(tracker.median, tracker.processor),
        "draw + encode": total(stages, "picture", "draw", "encode"),
    }


def total(stages: dict[str, Timing], *starts: str) -> Cost:
    """Return the cost of all stages, or of those whose names start so."""
    chosen = [each for name, each in stages.items() if not starts or name.startswith(starts)]
    return Cost(sum(each.median for each in chosen), sum(each.processor for each in chosen))


def describe(contestants: Contestants, wish: Wish, plan: Plan, image: Image) -> dict[str, Any]:
    """Return what was asked for, and what runs."""
    config = contestants.config
    width, height = next(iter(contestants.engines.values())).input_size
    weights = f"random {wish.preset}" if wish.preset else Path(wish.weights).name
    return {
        "network": f"{weights} ({config.architecture}) at {width}x{height}",
        "engines": {name: engine.name for name, engine in contestants.engines.items()},
        "embedding_dim": config.embedding_dim,
        "video": f"{image.shape[1]}x{image.shape[0]}",
        "frames": plan.frames,
        "people": list(plan.people),
        "candidates": plan.candidates,
        "threads": wish.threads,
    }
