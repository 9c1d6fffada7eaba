"""A network to a file for another runtime: what happens in which order."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from jde.engines.conversion import to_openvino
from jde.engines.exported_file import ExportFormat
from jde.engines.head_maps_graph import HeadMapsGraph
from jde.engines.model_card import ModelCard, Outputs
from jde.engines.onnx_conversion import OPSET, to_onnx
from jde.export.detections_graph import DetectionsGraph
from jde.export.quantisation import quantise_onnx, quantise_openvino, settle_weights
from jde.export.writing import check_name, write_onnx, write_openvino
from jde.model.network import JDENet
from jde.model.post_processing import PostProcessing
from jde.structures.errors import InputError

ASCEND_OPSET = 13
"""Version of the operators for Ascend: old, so that its compiler is likely to know them."""

Target = Literal["any", "ascend"]


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
    """

    format: ExportFormat
    outputs: Outputs = "maps"
    sparse: bool = True
    dynamic_size: bool = False
    target: Target = "any"
    limit: int = 256
    max_overlap: float = 0.4

    def __post_init__(self) -> None:
        if self.target == "ascend" and (self.format != "onnx" or self.dynamic_size):
            raise InputError("for ascend: the format must be onnx and the size fixed")
        if self.outputs == "detections" and self.dynamic_size:
            raise InputError("finished detections need a fixed size: leave out --dynamic-size")
        if self.limit < 1 or not 0 <= self.max_overlap <= 1:
            raise InputError("limit must be 1 or more, max_overlap from 0 to 1")


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
    card = ModelCard(
        config=network.config,
        outputs=settings.outputs,
        precision="int8" if calibration else "float32",
        max_overlap=settings.max_overlap,
    )
    is_ascend = settings.target == "ascend"
    graph = make_graph(network, settings)
    if calibration:
        settle_weights(graph if isinstance(graph, HeadMapsGraph) else graph.maps, calibration)
    file = to_onnx(
        graph,
        list(graph.output_names),
        size=network.config.input_size,
        dynamic_batch=not is_ascend,
        dynamic_size=settings.dynamic_size,
        opset=ASCEND_OPSET if is_ascend else OPSET,
    )
    if settings.format == "onnx":
        write_onnx(path, quantise_onnx(file, list(calibration)) if calibration else file, card)
        return
    converted = to_openvino(file, card)
    if calibration:
        converted = quantise_openvino(converted, list(calibration))
    write_openvino(path, converted, card)


def make_graph(network: JDENet, settings: ExportSettings) -> HeadMapsGraph | DetectionsGraph:
    """Return the module that is written."""
    network = copy.deepcopy(network)
    if settings.outputs == "maps":
        return HeadMapsGraph(network, sparse=settings.sparse)
    source = PostProcessing.for_source(network.config.source)
    return DetectionsGraph(
        network,
        limit=settings.limit,
        max_overlap=settings.max_overlap,
        margin=float(source.pixel_overlap),
    )
