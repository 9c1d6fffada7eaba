"""`jde export`: write a network for runtimes that need no torch, and show what that changed."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from jde.structures.errors import InputError
from jde.structures.frame import Image

if TYPE_CHECKING:
    from jde.engines.graph_detector import GraphDetector
    from jde.export.exporting import ExportSettings
    from jde.model.detector import Detector

PICTURES = 16
"""Pictures that are compared."""

DRAWN = 200
"""Frames between the drawn pictures: people move little from one frame to the next."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportOptions:
    """Write a network for runtimes that need no torch, and show how near it stays to the weights.

    The file alone suffices: 'jde track --weights street.onnx' and load_detector("street.onnx")
    run it, with jde[onnx] or jde[openvino] and no torch. A .pt2 is machine code for processors
    like this one, which PyTorch runs without anything else.

        jde export street.onnx --weights jde-nano --pictures my-pictures

        jde export street.xml --weights jde-nano --int8 --calibration my-pictures

        jde export people.onnx --weights jde-nano --outputs detections

        jde export street.onnx --weights jde-nano --for ascend

        jde export street.pt2 --weights jde-nano --precision bfloat16
    """

    output: Annotated[Path, tyro.conf.Positional]
    """File to write: .onnx, .xml for OpenVINO, which gets a .bin beside it, .pt2 for PyTorch's
    AOTInductor, .mindir for MindSpore, .engine for TensorRT."""

    weights: str = "jde-nano"
    """Name that 'jde zoo' lists, or weight file of any known format."""

    format: Literal["onnx", "openvino", "aotinductor", "mindir", "tensorrt"] | None = None
    """Runtime to write for [default: what the output's name ends in]."""

    outputs: Literal["maps", "detections"] = "maps"
    """maps: for this program, which decodes them at any threshold. detections: boxes, scores and
    unit embeddings in one graph, for any other program."""

    embeddings: Literal["sparse", "dense"] = "sparse"
    """sparse: computed at the places of people only, outside the graph, the same numbers faster.
    dense: in the graph, for every place."""

    size: tuple[int, int] | None = None
    """Width and height of the network's input, multiples of 32 [default: that of the weights]. A
    file has this size only, whatever the shape of a video: best give the size for yours."""

    dynamic_size: bool = False
    """Let the file take any size (maps only); then its input is also fitted to the video's shape
    where the weights say so."""

    target: Annotated[Literal["any", "ascend"], tyro.conf.arg(name="for")] = "any"
    """ascend: one picture, fixed shapes and old operators, as Ascend's compiler ATC takes them."""

    int8: bool = False
    """Compute in 8 bits, calibrated on --calibration; the heads keep their precision."""

    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Arithmetic of a .pt2 (bfloat16 is faster where the processor has it) or of a TensorRT
    .engine (float16). An OpenVINO file leaves it to the machine that runs it."""

    device: str = "cpu"
    """What a .pt2 is compiled for: cpu, or cuda on a machine with such a card."""

    calibration: Path | None = None
    """Folder of pictures like those the network will see; a hundred suffice."""

    limit: int = 256
    """Boxes with the best scores that finished detections are chosen from."""

    max_overlap: float = 0.4
    """Overlap beyond which the less certain of two finished detections gets a score of 0."""

    pictures: Path | None = None
    """Folder of pictures to compare file and weights on [default: drawn ones]."""

    sequence: Path | None = None
    """MOTChallenge sequence with ground truth to track and score with file and weights."""


def run(options: ExportOptions) -> str:
    """Write the file, and return what it is and how near it stays."""
    from jde.engines.torch_engine import TorchEngine  # noqa: PLC0415 (keeps help quick)
    from jde.export.exporting import export_network  # noqa: PLC0415
    from jde.export.quantisation import calibration_pictures  # noqa: PLC0415
    from jde.export.writing import check_name  # noqa: PLC0415
    from jde.model.detector import Detector  # noqa: PLC0415
    from jde.model.post_processing import PostProcessing  # noqa: PLC0415
    from jde.weights.loading import load_detector  # noqa: PLC0415
    from jde.weights.networks import load_network  # noqa: PLC0415

    settings = _settings(options)
    check_name(options.output, settings.format)
    _check_calibration(options)
    _check_sequence(options.sequence)
    pictures = _pictures(options)
    network = load_network(options.weights, size=options.size)
    # Of the very weights that are written, whatever happens to their file meanwhile.
    engine = TorchEngine(network, device="cpu")
    calibration = (
        calibration_pictures(options.calibration, network.config.input_size)
        if options.calibration
        else []
    )
    export_network(network, options.output, settings, calibration=calibration)
    exported = load_detector(options.output, max_overlap=options.max_overlap)
    origin = Detector(
        engine,
        replace(network.config, input_shape=exported.input_shape),
        replace(PostProcessing.for_source(network.config.source), max_overlap=options.max_overlap),
    )
    reports = _reports(options, origin, exported, pictures)
    return "\n".join([_describe(options, exported), *reports])


def _settings(options: ExportOptions) -> "ExportSettings":
    from jde.engines.exported_file import ExportFormat  # noqa: PLC0415 (keeps help quick)
    from jde.export.exporting import ExportSettings  # noqa: PLC0415
    from jde.export.writing import ENDS  # noqa: PLC0415

    kinds: list[ExportFormat] = [kind for kind, end in ENDS.items() if options.output.suffix == end]
    kind = options.format or (kinds[0] if kinds else None)
    if kind is None:
        raise InputError(f"{options.output}: the name must end in {' or '.join(ENDS.values())}")
    return ExportSettings(
        format=kind,
        precision=options.precision,
        device=options.device,
        outputs=options.outputs,
        sparse=(options.embeddings == "sparse" and options.target == "any" and kind != "mindir"),
        dynamic_size=options.dynamic_size,
        target=options.target,
        limit=options.limit,
        max_overlap=options.max_overlap,
    )


def _check_calibration(options: ExportOptions) -> None:
    if options.int8 != (options.calibration is not None):
        raise InputError(
            "--int8 and --calibration FOLDER belong together: 8-bit ranges are set on pictures "
            "like those the network will see"
        )


def _check_sequence(sequence: Path | None) -> None:
    if sequence is not None and not (sequence / "gt" / "gt.txt").is_file():
        raise InputError(f"{sequence}: has no gt/gt.txt to score against; leave out --sequence")


def _pictures(options: ExportOptions) -> list[Image]:
    from jde.data.scenes.scene import Scene  # noqa: PLC0415 (keeps help quick)
    from jde.imaging.picture_file import read_picture, spread_pictures  # noqa: PLC0415

    if options.pictures is None:
        return [
            next(iter(Scene(seed=DRAWN + place).frames(1))).frame.image for place in range(PICTURES)
        ]
    paths = spread_pictures(options.pictures, PICTURES)
    if not paths:
        raise InputError(f"{options.pictures}: no pictures to compare on")
    return [read_picture(path) for path in paths]


def _describe(options: ExportOptions, exported: "Detector | GraphDetector") -> str:
    parts = {options.output, options.output.with_suffix(".bin")}
    megabytes = sum(path.stat().st_size for path in parts if path.exists()) / 1e6
    width, height = exported.input_size
    sizes = f"{width}x{height}{' and other sizes' if options.dynamic_size else ''}"
    return (
        f"{options.output}: {exported.config.architecture} at {sizes}, {options.outputs}, "
        f"{megabytes:.1f} MB, runs as {exported.engine.name}"
    )


def _reports(
    options: ExportOptions,
    origin: "Detector | GraphDetector",
    exported: "Detector | GraphDetector",
    pictures: Sequence[Image],
) -> list[str]:
    from jde.export.parity import compare  # noqa: PLC0415 (keeps help quick)

    reports = [compare(origin, exported, pictures).table()]
    if options.sequence is not None:
        reports.append(_side_by_side(options.sequence, {"weights": origin, "file": exported}))
    return reports


def _side_by_side(sequence: Path, detectors: "dict[str, Detector | GraphDetector]") -> str:
    """Return the tracking scores of a sequence with each detector."""
    from jde.commands.track import track  # noqa: PLC0415 (keeps help quick)
    from jde.metrics.score_table import render_table  # noqa: PLC0415
    from jde.metrics.tracking_report import OVERALL, evaluate_tracking  # noqa: PLC0415

    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, detector in detectors.items():
            logger.info("tracking %s with the %s", sequence.name, name)
            output = Path(folder) / name
            track(sequence, detector, output, video=False)
            rows[name] = evaluate_tracking(output / "tracks.txt", sequence).as_dict()[OVERALL]
    return f"tracks of {sequence.name} against its ground truth\n{render_table(rows)}"
