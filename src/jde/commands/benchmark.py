"""`jde benchmark`: how long each step from a video to tracks takes on this machine."""

import json
from dataclasses import dataclass
from pathlib import Path

from jde.formats.draft import write_text
from jde.structures.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchmarkOptions:
    """Measure every stage on this machine, alone and together.

    Prints the median, the tenth and the ninetieth percentile of each stage, and how near the whole
    path comes to its slowest stage. Takes about a minute with the shipped weights.

        jde benchmark

        jde benchmark --engines openvino,torch,torch:bfloat16,onnx --output report.json

        jde benchmark --preset jde-darknet53-1088x608 --frames 20 --plot stages.png
    """

    weights: str = "jde-nano"
    """Name that 'jde zoo' lists, weight file, or file of 'jde export' (8-bit ones too)."""

    preset: str | None = None
    """Measure this configuration with random weights instead: jde-nano, jde-small,
    jde-darknet53-1088x608, ... Times are those of trained weights, detections are not."""

    engines: str = "openvino,torch,onnx"
    """What to compare, separated by commas: torch, torch:bfloat16, openvino (in the precision the
    processor is fastest at), openvino:float32, openvino:int8, onnx, onnx:int8; torch-compiled and
    aotinductor, which compile for a minute first. The first one runs the whole path. 8 bits are
    calibrated on drawn pictures: their speed counts, not what they find."""

    size: tuple[int, int] | None = None
    """Width and height of the network's input, multiples of 32 [default: that of the weights]. It
    is measured at exactly this size, also where 'jde track' would fit it to the video's shape."""

    frames: int = 60
    """Length of the video, and samples of each stage."""

    video: Path | None = None
    """Video to track [default: a drawn one]."""

    video_size: tuple[int, int] = (1920, 1080)
    """Width and height of the drawn video."""

    people: tuple[int, ...] = (50, 10, 100, 200)
    """How many people the tracker is measured with; the first number is also that of the drawn
    video."""

    candidates: int = 200
    """Anchors above the threshold that become boxes."""

    threads: int | None = None
    """Threads of the network [default: all cores]."""

    device: str = "auto"
    """Where PyTorch runs: auto, cpu, cuda, ..."""

    output: Path | None = None
    """JSON file for everything that was measured."""

    plot: Path | None = None
    """Picture (.png, .svg) of the stages and of the tracker."""

    def __post_init__(self) -> None:
        if self.frames < 1 or self.candidates < 1 or not self.people or min(self.people) < 1:
            raise InputError("--frames, --candidates and --people must be 1 or more")


def run(options: BenchmarkOptions) -> str:
    """Measure, write the files that were asked for, and return the table."""
    from jde.benchmarking.contestants import Wish  # noqa: PLC0415 (keeps help quick)
    from jde.benchmarking.measurement import Plan, measure  # noqa: PLC0415
    from jde.benchmarking.plot import write_plot  # noqa: PLC0415

    engines = [name.strip() for name in options.engines.split(",")]
    wish = Wish(
        weights=options.weights,
        preset=options.preset,
        engines=tuple(name for name in engines if name),
        size=options.size,
        threads=options.threads,
        device=options.device,
    )
    plan = Plan(
        video=options.video,
        video_size=options.video_size,
        frames=options.frames,
        people=options.people,
        candidates=options.candidates,
    )
    report = measure(wish, plan)
    if options.output is not None:
        write_text(options.output, json.dumps(report.as_dict(), indent=2) + "\n")
    if options.plot is not None:
        write_plot(report, options.plot)
    return report.table()
