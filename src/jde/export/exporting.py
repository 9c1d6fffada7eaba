"""A network to a file for another runtime: what happens in which order."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import UInt8

from jde.engines.conversion import to_openvino
from jde.engines.exported_file import ExportFormat
from jde.engines.head_maps_graph import HeadMapsGraph, MapsAlone
from jde.engines.model_card import ModelCard, Outputs
from jde.engines.onnx_conversion import OPSET, to_onnx
from jde.export.aotinductor import write_aotinductor
from jde.export.detections_graph import DetectionsGraph
from jde.export.mindir import write_mindir
from jde.export.quantisation import quantise_onnx, quantise_openvino, settle_weights
from jde.export.tensorrt import write_tensorrt
from jde.export.writing import check_name, write_onnx, write_openvino
from jde.model.network import JDENet
from jde.model.post_processing import PostProcessing
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

ASCEND_OPSET = 13
"""Version of the operators for Ascend: old, so that its compiler is likely to know them."""

Target = Literal["any", "ascend"]
Precision = Literal["float32", "bfloat16", "float16"]

PRECISIONS: dict[ExportFormat, tuple[Precision, ...]] = {
    "onnx": ("float32",),
    "openvino": ("float32",),
    "aotinductor": ("float32", "bfloat16"),
    "mindir": ("float32",),
    "tensorrt": ("float32", "float16"),
}
"""In which arithmetic each format is written; OpenVINO chooses its own when it runs a file."""

INT8 = ("onnx", "openvino", "tensorrt")
"""Formats that are written in 8 bits, too."""

FIXED_SIZE = ("aotinductor", "mindir", "tensorrt")
"""Formats that are compiled for one input size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportSettings:
    """Which form a network gets.

    Attributes:
        format: Of the file.
        outputs: Head maps for our own code, or finished detections for anyone's.
        sparse: Leave the embedding convolution to be computed at the cells of people only.
        dynamic_size: Let the graph take any size that the network takes.
        target: `ascend` keeps to shapes and operators that Ascend's compiler takes.
        limit: Boxes with the best scores that finished detections are chosen from.
        max_overlap: Overlap beyond which finished detections are suppressed.
        precision: Of the arithmetic.
        device: What compiled forms are compiled for: `cpu` or `cuda`.
    """

    format: ExportFormat
    outputs: Outputs = "maps"
    sparse: bool = True
    dynamic_size: bool = False
    target: Target = "any"
    limit: int = 256
    max_overlap: float = 0.4
    precision: Precision = "float32"
    device: str = "cpu"

    def __post_init__(self) -> None:
        self._check_format()
        if self.target == "ascend" and (self.format != "onnx" or self.dynamic_size):
            raise InputError("for ascend: the format must be onnx and the size fixed")
        if self.outputs == "detections" and self.dynamic_size:
            raise InputError("finished detections need a fixed size: leave out --dynamic-size")
        if self.limit < 1 or not 0 <= self.max_overlap <= 1:
            raise InputError("limit must be 1 or more, max_overlap from 0 to 1")

    def _check_format(self) -> None:
        if self.precision not in PRECISIONS[self.format]:
            raise InputError(
                f"precision {self.precision}: {self.format} is written in "
                f"{' or '.join(PRECISIONS[self.format])}"
            )
        if self.device != "cpu" and self.format != "aotinductor":
            raise InputError(f"device {self.device}: only aotinductor is compiled for one")
        if self.dynamic_size and self.format in FIXED_SIZE:
            raise InputError(f"{self.format} has a fixed size: leave out --dynamic-size")
        if self.format == "mindir" and (self.outputs != "maps" or self.sparse):
            raise InputError("mindir holds head maps with dense embeddings only")

    @property
    def is_static(self) -> bool:
        """Whether every shape is a number, and the batch one picture."""
        return self.target == "ascend" or self.format == "mindir"


def export_network(
    network: JDENet,
    path: Path,
    settings: ExportSettings,
    *,
    calibration: Sequence[UInt8[np.ndarray, "1 h w 3"]] = (),
) -> None:
    """Write a network for another runtime.

    Args:
        network: Copied.
        path: File to write.
        settings: Which form it gets.
        calibration: Pictures of the input size; where there are any, the file computes in 8 bits.

    Raises:
        InputError: The name doesn't end as the format's names do.
        MissingExtraError: A package that it needs isn't installed.
    """
    check_name(path, settings.format)
    if calibration and (settings.format not in INT8 or settings.precision != "float32"):
        raise InputError(f"{path}: 8 bits are written for {', '.join(INT8)}, beside float32 only")
    card = ModelCard(
        config=network.config,
        outputs=settings.outputs,
        precision="int8" if calibration else settings.precision,
        max_overlap=settings.max_overlap,
    )
    graph = make_graph(network, settings)
    if calibration:
        settle_weights(graph if isinstance(graph, HeadMapsGraph) else graph.maps, calibration)
    if settings.format == "aotinductor":
        write_aotinductor(path, graph, card, device=settings.device)
        return
    file = trace(graph, settings, network.config.input_size)
    if settings.format == "openvino":
        converted = to_openvino(file, card)
        if calibration:
            converted = quantise_openvino(converted, list(calibration))
        write_openvino(path, converted, card)
        return
    if calibration:
        file = quantise_onnx(file, list(calibration), for_tensorrt=settings.format == "tensorrt")
    constants = graph.constant_arrays() if isinstance(graph, HeadMapsGraph) else {}
    writers: dict[str, Callable[[Path, bytes, ModelCard], None]] = {
        "onnx": write_onnx,
        "mindir": write_mindir,
        "tensorrt": partial(write_tensorrt, constants=constants),
    }
    writers[settings.format](path, file, card)


def trace(graph: HeadMapsGraph | DetectionsGraph, settings: ExportSettings, size: Size) -> bytes:
    """Return a graph as ONNX, from which all forms but one start."""
    is_plan = settings.format == "tensorrt"
    traced = MapsAlone(graph) if is_plan and isinstance(graph, HeadMapsGraph) else graph
    file = to_onnx(
        traced,
        list(traced.output_names),
        size=size,
        dynamic_batch=not settings.is_static,
        dynamic_size=settings.dynamic_size,
        opset=ASCEND_OPSET if settings.is_static else OPSET,
    )
    if not settings.is_static:
        return file
    from jde.export.static_shapes import fold_shapes  # noqa: PLC0415 (needs onnx)

    return fold_shapes(file)


def make_graph(network: JDENet, settings: ExportSettings) -> HeadMapsGraph | DetectionsGraph:
    """Return the module that is written."""
    network = copy.deepcopy(network)
    precision: torch.dtype = getattr(torch, settings.precision)
    if settings.outputs == "maps":
        maps = HeadMapsGraph(network, sparse=settings.sparse, precision=precision)
        maps.cast_first = settings.format == "tensorrt"
        return maps
    source = PostProcessing.for_source(network.config.source)
    finished = DetectionsGraph(
        network,
        limit=settings.limit,
        max_overlap=settings.max_overlap,
        margin=float(source.pixel_overlap),
        precision=precision,
    )
    finished.maps.cast_first = settings.format == "tensorrt"
    return finished
