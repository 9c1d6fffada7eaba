"""Weights to an engine that runs them; the part of `load_detector` that needs torch."""

from typing import cast

import torch

from jde.engines.conversion import can_convert, run_in_openvino
from jde.engines.graph_engine import GraphEngine
from jde.engines.torch_engine import Precision, TorchEngine, resolve_device
from jde.model.head_maps import Engine
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.structures.letterbox import Size
from jde.weights.checkpoint import make_network
from jde.weights.networks import load_checkpoint


def load_whole_network(weights: str, *, size: Size | None) -> JDENet:
    """Return the network of a zoo name or weight file.

    Raises:
        InputError: The file holds a backbone alone, or can't be used.
    """
    checkpoint = load_checkpoint(weights, size=size)
    if checkpoint.is_backbone:
        raise InputError(f"{weights}: only a backbone, which detects nothing: train it first")
    return make_network(checkpoint, weights)


def make_engine(network: JDENet, *, engine: str, device: str, precision: str) -> Engine:
    """Return what runs a network.

    Args:
        network: Copied.
        engine: `torch` or `openvino`; `auto` is OpenVINO on a processor, where it is installed.
        device: Where to run; `auto` takes a GPU of PyTorch where there is one.
        precision: Of the arithmetic; `auto` is float32 in PyTorch and what the processor is
            fastest at in OpenVINO.

    Raises:
        InputError: The engine doesn't run weights, or the device isn't there.
    """
    if engine == "onnx":
        raise InputError(
            "engine 'onnx' runs exported files: write one with 'jde export --format onnx'"
        )
    if engine == "auto":
        resolved = device if device != "auto" else resolve_device(device)
        engine = "openvino" if resolved == "cpu" and can_convert() else "torch"
    if engine == "openvino":
        return GraphEngine(run_in_openvino(network, device=device, precision=precision))
    if precision == "float16" and resolve_device(device) == "cpu":
        raise InputError("precision 'float16' needs a GPU; take 'bfloat16' on a processor")
    check_torch_device(device)
    exact: Precision = "float32"
    return TorchEngine(
        network,
        device=device,
        precision=exact if precision == "auto" else cast("Precision", precision),
    )


def check_torch_device(device: str) -> None:
    """Refuse a device that PyTorch doesn't find.

    Raises:
        InputError: The message says what is there.
    """
    try:
        torch.empty(0, device=resolve_device(device))
    except (AssertionError, RuntimeError, ValueError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {device!r} isn't here: {reason}; 'cpu' always is") from error
