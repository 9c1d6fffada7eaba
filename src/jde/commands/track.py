import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jde.engines.parallelism import Streams
from jde.model.config import ModelConfig
from jde.pipeline.job import Outcome, TrackingJob, class_names, cores_busy
from jde.pipeline.result_files import NAMES, Format, make_folder
from jde.pipeline.tracking import THREADS, BatchDetector, TrackingRun
from jde.structures.errors import InputError
from jde.tracking.config import TrackerConfig
from jde.video.reading import read_video
from jde.video.source import VideoSource

logger = logging.getLogger(__name__)

Profile = Literal["default", "zhongdao", "paddle", "mindspore"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackOptions:
    """Track the people in videos: boxes with identities as text, and a video to look at.

    `jde track street.mp4 --output street` leaves street/tracks.txt (MOTChallenge text: frame, id,
    left, top, width, height, score), street/tracked.mp4 and street/summary.json. Several sources
    get a folder each within the output.
    """

    sources: tyro.conf.Positional[tuple[str, ...]]
    """Video files, folders of pictures, MOTChallenge sequences, numbers of cameras, or addresses
    of streams (rtsp://, http://)."""

    output: Path = Path("tracked")
    """Folder for the results; files of an earlier run are replaced."""

    weights: str = "jde-nano"
    """Name that `jde zoo` lists, weight file of any supported format, or exported model."""

    video: bool = True
    """Write the video with the tracks drawn into it."""

    formats: str = "mot"
    """Result files, separated by commas: mot, kitti, json (one line a frame)."""

    scores: bool = False
    """Write scores beside the identities in the video."""

    evaluate: bool = False
    """Score the result where the source is a sequence with ground truth."""

    min_score: float | None = None
    """Least confidence of a person, from 0 to 1 [default: that of weights and profile]."""

    start_score: float | None = None
    """Confidence with which somebody new is followed; less only continues a track [default:
    --min-score if given, else that of weights and profile]."""

    max_overlap: float | None = None
    """Overlap beyond which the less certain of two boxes is dropped, from 0 to 1
    [default: that of the weights]."""

    size: tuple[int, int] | None = None
    """Width and height of the network's input, multiples of 32 [default: that of the weights]."""

    shape: Literal["auto", "fixed", "fitted"] = "auto"
    """fixed: bring the video to exactly that size, with grey bars where its shape is another.
    fitted: an input of the video's shape with about as many pixels, so that people in an upright
    or 4:3 video are larger at the same cost. auto: fixed with --size, else as the weights say."""

    batch: int = 1
    """Pictures the network gets at once; the identities stay the same."""

    engine: str = "auto"
    """What runs the network; auto takes the fastest that is installed."""

    device: str = "auto"
    """Where the network runs: auto, cpu, cuda, cuda:1, ..."""

    threads: int | None = None
    """Processor threads of the network; fewer leave cores to other programs [default: all]. They
    work on several frames of a file side by side, and together on the newest of a live source."""

    profile: Profile = "default"
    """Association: ours, or that of one of the published programs, faults included."""

    max_lost_seconds: float | None = None
    """How long a person may be out of sight and keep the identity [default: the profile's]."""

    frame_rate: float | None = None
    """Frames per second of a folder of pictures [default: 30, or what seqinfo.ini says]."""


def track(
    source: str | Path | int,
    weights: str | Path | BatchDetector = "jde-nano",
    output: str | Path = "tracked",
    *,
    config: TrackerConfig | None = None,
    formats: Sequence[Format] = ("mot",),
    video: bool = True,
) -> Outcome:
    """Track a whole video into files and return their names, counts and times.

    Args:
        source: Whatever `read_video` reads.
        weights: Name or file of weights, or a detector that is loaded already.
        output: Folder for the results.
        config: How detections become tracks; with the score of the weights where not given.
        formats: Text files to write.
        video: Also write the video with the tracks drawn into it.
    """
    opened = read_video(source)
    named = isinstance(weights, str | Path)
    streams = suitable_streams([opened])
    detector = _load(weights, streams=streams) if isinstance(weights, str | Path) else weights
    job = TrackingJob(
        output=Path(output),
        config=config or tracker_for(detector),
        formats=tuple(formats),
        video=video,
        weights=str(weights) if named else type(weights).__name__,
    )
    outcome = job.run(opened, detector)
    for loss in opened.losses:
        logger.warning("%s", loss)
    return outcome


def tracker_for(detector: BatchDetector) -> TrackerConfig:
    """Return how to associate what a detector finds: with the score that suits its weights."""
    config = getattr(detector, "config", None)
    if isinstance(config, ModelConfig):
        return TrackerConfig(min_score=config.start_score)
    return TrackerConfig()


def suitable_streams(sources: Sequence[VideoSource]) -> Streams:
    """Return how many pictures to detect side by side: of a live source always the newest alone."""
    return 1 if any(source.live for source in sources) else "auto"


def run(options: TrackOptions) -> str:
    """Track every source and return where the files are and how long each stage took."""
    _check_numbers(options)
    _config(options, TrackerConfig())
    sources = _open(options)
    folders = _folders(options.output, sources)
    for folder in folders:
        make_folder(folder)
    streams = suitable_streams(sources)
    detector = _load(options.weights, streams=streams, **_detector_settings(options))
    job = _job(options, tracker_for(detector))
    reports = []
    for name, source, folder in zip(options.sources, sources, folders, strict=True):
        with _progress(source) as on_frame:
            outcome = replace(job, output=folder).run(source, detector, on_frame)
        reports.append(_report(outcome))
        if options.evaluate:
            reports.append(_scores(folder, Path(name), class_names(outcome.run.detector)))
    _refuse_losses(sources, options.output)
    return "\n\n".join(reports)


def _check_numbers(options: TrackOptions) -> None:
    """Refuse what no video can be tracked with, by the name that the user gave it."""
    shares = {
        "--min-score": options.min_score,
        "--start-score": options.start_score,
        "--max-overlap": options.max_overlap,
    }
    for option, value in shares.items():
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"{option} must be from 0 to 1, got {value:g}")
    lost, rate = options.max_lost_seconds, options.frame_rate
    if lost is not None and not lost >= 0:
        raise InputError(f"--max-lost-seconds must be 0 or more, got {lost:g}")
    if rate is not None and not rate > 0:
        raise InputError(f"--frame-rate must be above 0, got {rate:g}")


def _detector_settings(options: TrackOptions) -> dict[str, Any]:
    """Return the settings that were given; the others stay those of the weights."""
    settings = {
        "device": options.device,
        "engine": options.engine,
        "threads": options.threads,
        "size": options.size,
        "shape": options.shape,
        "min_score": options.min_score,
        "max_overlap": options.max_overlap,
        "profile": None if options.profile == "default" else options.profile,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _config(options: TrackOptions, default: TrackerConfig) -> TrackerConfig:
    start = options.min_score if options.start_score is None else options.start_score
    given = {"max_lost_seconds": options.max_lost_seconds, "min_score": start}
    changes = {name: value for name, value in given.items() if value is not None}
    is_ours = options.profile == "default"
    profile = default if is_ours else getattr(TrackerConfig, options.profile)()
    try:
        config: TrackerConfig = replace(profile, **changes)
    except ValueError as error:
        raise InputError(str(error)) from error
    return config


def _job(options: TrackOptions, default: TrackerConfig) -> TrackingJob:
    return TrackingJob(
        output=options.output,
        config=_config(options, default),
        formats=_formats(options.formats),
        video=options.video,
        show_scores=options.scores,
        batch=options.batch,
        weights=options.weights,
    )


def _formats(words: str) -> tuple[Format, ...]:
    asked = {word.strip() for word in words.split(",")} - {""}
    unknown = sorted(asked - set(NAMES))
    if unknown:
        raise InputError(f"formats: {unknown[0]!r} is unknown; use {', '.join(NAMES)}")
    if not asked:
        raise InputError(f"formats: none is named; use {', '.join(NAMES)}")
    return tuple(kind for kind in NAMES if kind in asked)


def _open(options: TrackOptions) -> list[VideoSource]:
    if not options.sources:
        raise InputError("nothing to track: give a video, e.g. jde track street.mp4 --output out")
    if options.evaluate:
        _need_ground_truth(options)
    return [read_video(source, frame_rate=options.frame_rate) for source in options.sources]


def _need_ground_truth(options: TrackOptions) -> None:
    if "mot" not in _formats(options.formats):
        raise InputError("--evaluate scores the mot file: add it to --formats")
    for source in options.sources:
        if not (Path(source) / "gt" / "gt.txt").is_file():
            raise InputError(f"{source}: has no gt/gt.txt to score against; leave out --evaluate")


def _folders(output: Path, sources: Sequence[VideoSource]) -> list[Path]:
    """Return one folder per source: the output itself, or one within it named for each."""
    if len(sources) == 1:
        return [output]
    folders: list[Path] = []
    for source in sources:
        same = sum(folder.name.split("~")[0] == source.name for folder in folders)
        folders.append(output / (f"{source.name}~{same + 1}" if same else source.name))
    return folders


def _load(weights: str | Path, **settings: Any) -> BatchDetector:
    from jde.weights.loading import load_detector  # noqa: PLC0415 (loads the network's engine)

    return load_detector(weights, **settings)


@contextmanager
def _progress(source: VideoSource) -> Iterator[Callable[[TrackingRun], None]]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} frames/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(source.name, total=source.length, rate=0.0)
        yield lambda run: progress.update(bar, completed=run.frames, rate=run.frames_per_second)


def _report(outcome: Outcome) -> str:
    run = outcome.run
    counts = (
        f"{run.source.name}: {run.frames} frames in {run.seconds:.1f} s, "
        f"{run.frames_per_second:.1f} frames/s end to end, {len(run.identities)} identities"
    )
    head = (
        "  ms per frame, one line for each thread; they overlap and kept "
        f"{cores_busy(run):.1f} cores busy"
    )
    return "\n".join([counts, head, *_thread_lines(run), *(f"  {path}" for path in outcome.files)])


def _thread_lines(run: TrackingRun) -> list[str]:
    lines = []
    milliseconds = 1000 / max(run.frames, 1)
    for part in run.stopwatch.by_thread(THREADS):
        times = " + ".join(
            f"{stage} {value * milliseconds:.1f}" for stage, value in part.stages.items()
        )
        several = f" / {part.lanes} frames side by side" if part.lanes > 1 else ""
        mark = "  <- bottleneck" if part.name == run.bottleneck else ""
        lines.append(f"    {part.seconds * milliseconds:6.1f} = {times}{several}{mark}")
    return lines


def _scores(folder: Path, sequence: Path, classes: Sequence[str]) -> str:
    from jde.metrics.tracking_report import evaluate_tracking  # noqa: PLC0415 (rarely needed)

    results = folder / NAMES["mot"]
    if len(classes) <= 1:
        return evaluate_tracking(results, sequence).table()
    return "\n".join(
        f"{name}:\n{evaluate_tracking(results, sequence, class_number=number).table()}"
        for number, name in enumerate(classes, 1)
    )


def _refuse_losses(sources: Sequence[VideoSource], output: Path) -> None:
    # A camera or stream ends some day; a file that is cut off was bad input.
    losses = [loss for source in sources if not source.live for loss in source.losses]
    if losses:
        raise InputError(f"{'; '.join(losses)}; what could be read is tracked in {output}")
