"""8-bit arithmetic, calibrated on pictures."""

import logging
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jde.engines.head_maps_graph import HeadMapsGraph
from jde.engines.model_card import IMAGES
from jde.export.equalisation import equalise
from jde.export.rounding import round_weights
from jde.imaging.letterboxing import letterbox_image
from jde.imaging.picture_file import read_picture, spread, spread_pictures
from jde.structures.errors import InputError, MissingExtraError
from jde.structures.frame import Image
from jde.structures.letterbox import Size

MAX_PICTURES = 100
"""Pictures that calibration looks at: more change the ranges no further."""

FEW_PICTURES = 20
"""Fewer pictures than this are warned about."""

SETTLING_PICTURES = 16
"""Of these, the pictures on which weights are made ready: each is run in PyTorch."""

HEADS = r".*/(detection|embedding)(_\d+)?/.*"
"""Names of the layers that keep their precision: they are little of the work and all of the
output."""

NECK, SEPARABLE = r".*/pyramid/.*", r".*/pyramid/.*/pointwise/.*"
"""Names of all that lies between backbone and heads, and of what is there in compact networks
alone: a neck of separable convolutions keeps its precision, too. It is little of the work, and a
few of its channels reach seventy times the usual, which leaves the others three or four of 8
bits."""

ADVICE = "pre-processing before quantization"

logger = logging.getLogger(__name__)


def calibration_pictures(folder: Path, size: Size) -> list[UInt8[np.ndarray, "1 h w 3"]]:
    """Return pictures of a folder as the network gets them, evenly spread over the folder.

    Raises:
        InputError: There are none.
    """
    paths = spread_pictures(folder, MAX_PICTURES)
    if not paths:
        raise InputError(f"{folder}: no pictures to calibrate on")
    if len(paths) < FEW_PICTURES:
        logger.warning("%s: only %d pictures; calibrate on a hundred", folder, len(paths))
    return prepare([read_picture(path) for path in paths], size)


def prepare(images: Sequence[Image], size: Size) -> list[UInt8[np.ndarray, "1 h w 3"]]:
    """Return pictures as the network gets them."""
    return [letterbox_image(image, size).image[None] for image in images]


def settle_weights(graph: HeadMapsGraph, pictures: Sequence[UInt8[np.ndarray, "1 h w 3"]]) -> None:
    """Make the weights of a graph ready for 8 bits, in place."""
    chosen = [pictures[place] for place in spread(len(pictures), SETTLING_PICTURES)]
    equalise(graph.network, graph, chosen)
    round_weights(graph, chosen)


def quantise_openvino(graph: Any, pictures: list[UInt8[np.ndarray, "1 h w 3"]]) -> Any:
    """Return an OpenVINO graph whose convolutions compute in 8 bits, but for the heads.

    Raises:
        MissingExtraError: NNCF isn't installed.
    """
    try:
        import nncf  # noqa: PLC0415 (optional)
        from nncf.quantization.range_estimator import (  # noqa: PLC0415
            RangeEstimatorParametersSet,
        )
    except ImportError as error:
        raise MissingExtraError("nncf", "export", "writing int8 for OpenVINO") from error
    logging.getLogger("nncf").setLevel(logging.ERROR)
    fold_constants(graph)
    exact = kept_exact([node.get_friendly_name() for node in graph.get_ops()])
    # Its bars are progress, no result.
    with redirect_stdout(sys.stderr):
        return nncf.quantize(
            graph,
            nncf.Dataset(pictures, lambda picture: {IMAGES: picture}),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(pictures),
            # Its default is the mean of what pictures reach, which clips the rarest and surest.
            advanced_parameters=nncf.AdvancedQuantizationParameters(
                activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
            ),
            ignored_scope=nncf.IgnoredScope(names=exact, validate=False),
        )


def kept_exact(names: Sequence[str]) -> list[str]:
    """Return those of a graph's nodes that don't compute in 8 bits."""
    is_compact = any(re.fullmatch(SEPARABLE, name) for name in names)
    pattern = f"{HEADS}|{NECK}" if is_compact else HEADS
    return [name for name in names if re.fullmatch(pattern, name)]


def fold_constants(graph: Any) -> None:
    """Compute what doesn't depend on the input of an OpenVINO graph, in place.

    NNCF looks for channels in the constants themselves: behind a change of shape, as ONNX's
    depthwise kernels have it, it would take the columns of a kernel for them.
    """
    from openvino import passes  # noqa: PLC0415 (optional)

    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(graph)


def quantise_onnx(
    graph: bytes, pictures: list[UInt8[np.ndarray, "1 h w 3"]], *, for_tensorrt: bool = False
) -> bytes:
    """Return an ONNX graph whose convolutions compute in 8 bits, but for the heads.

    TensorRT wants signed numbers around zero, and biases that are left alone.

    Raises:
        MissingExtraError: ONNX Runtime or the package `onnx` isn't installed.
    """
    try:
        import onnx  # noqa: PLC0415 (optional)
        from onnxruntime import quantization  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "export", "writing int8 for ONNX Runtime") from error
    names = [node.name for node in onnx.load_from_string(graph).graph.node]
    with tempfile.TemporaryDirectory() as folder, without_advice():
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(graph)
        quantization.quantize_static(
            source,
            target,
            Pictures(pictures),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=(
                quantization.QuantType.QInt8 if for_tensorrt else quantization.QuantType.QUInt8
            ),
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=kept_exact(names),
            extra_options=(
                {"ActivationSymmetric": True, "QuantizeBias": False} if for_tensorrt else None
            ),
        )
        return target.read_bytes()


@contextmanager
def without_advice() -> Iterator[None]:
    """Silence ONNX Runtime's advice to prepare a graph, given to the root logger: ours is ready."""

    def is_other(record: logging.LogRecord) -> bool:
        return ADVICE not in record.getMessage()

    root = logging.getLogger()
    root.addFilter(is_other)
    try:
        yield
    finally:
        root.removeFilter(is_other)


class Pictures:
    """Hands pictures to ONNX Runtime's calibration one by one."""

    def __init__(self, pictures: list[UInt8[np.ndarray, "1 h w 3"]]) -> None:
        self._rest: Iterator[UInt8[np.ndarray, "1 h w 3"]] = iter(pictures)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the inputs of the next picture, None after the last."""
        picture = next(self._rest, None)
        return None if picture is None else {IMAGES: picture}
