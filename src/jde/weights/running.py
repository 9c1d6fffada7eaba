"""Weights to an engine that runs them; the part of `load_detector` that needs torch."""

from dataclasses import replace
from typing import cast

import torch

from jde.engines.conversion import can_convert, run_in_openvino
from jde.engines.graph_engine import GraphEngine
from jde.engines.parallelism import ALL_FOR_ONE, Parallelism
from jde.engines.torch_engine import Precision, TorchEngine, resolve_device
from jde.model.head_maps import Engine
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.structures.letterbox import Size
from jde.weights.checkpoint import make_network
from jde.weights.input_shape import InputWish
from jde.weights.networks import load_checkpoint

EXPORTED_ONLY = ("onnx", "aotinductor", "mindir", "tensorrt")
"""Engines that need a file made for them."""


def load_whole_network(weights: str, *, size: Size | None, shape: str = "fixed") -> JDENet:
    """Return the network of a zoo name or weight file.

    Args:
        weights: Name or file.
        size: Width and height of the input; those of the weights where not given.
        shape: Of the input: `fixed`, `fitted`, or `auto`.

    Raises:
        InputError: The file holds a backbone alone, or can't be used.
    """
    checkpoint = load_checkpoint(weights, size=size)
    if checkpoint.is_backbone:
        raise InputError(f"{weights}: only a backbone, which detects nothing: train it first")
    config = InputWish(size, shape).applied_to(checkpoint.config)
    return make_network(replace(checkpoint, config=config), weights)


def make_engine(
    network: JDENet,
    *,
    engine: str,
    device: str,
    precision: str,
    parallelism: Parallelism = ALL_FOR_ONE,
) -> Engine:
    """Return what runs a network.

    Args:
        network: Copied.
        engine: `torch`, `torch-compiled` or `openvino`; `auto` is what `choose_engine` says.
        device: Where to run; `auto` takes a GPU of PyTorch where there is one.
        precision: Of the arithmetic; `auto` is float32 in PyTorch and what the processor is
            fastest at in OpenVINO.
        parallelism: Threads of the network, and pictures side by side (OpenVINO).

    Raises:
        InputError: The engine doesn't run weights, or the device isn't there.
    """
    if engine in EXPORTED_ONLY:
        raise InputError(
            f"engine {engine!r} runs exported files: write one with 'jde export --format {engine}'"
        )
    if engine == "auto":
        engine = choose_engine(resolve_device(device), has_openvino=can_convert())
    if engine == "openvino":
        return GraphEngine(
            run_in_openvino(network, device=device, precision=precision, parallelism=parallelism)
        )
    if precision == "float16" and resolve_device(device) == "cpu":
        raise InputError("precision 'float16' needs a GPU; take 'bfloat16' on a processor")
    check_torch_device(device)
    parallelism.refuse_streams(f"engine {engine!r}")
    exact: Precision = "float32"
    return TorchEngine(
        network,
        device=device,
        precision=exact if precision == "auto" else cast("Precision", precision),
        threads=parallelism.threads,
        compiled=engine == "torch-compiled",
    )


def choose_engine(device: str, *, has_openvino: bool) -> str:
    """Return the fastest engine that starts at once on a device.

    On a processor OpenVINO is faster than PyTorch, ONNX Runtime and compiled packages
    (docs/export.md), and it alone runs Intel's GPUs (`gpu`). All others are PyTorch's:
    `torch-compiled` and TensorRT may be faster there, but compile for a minute or more first.

    Args:
        device: Such as `cpu`, `gpu` or `cuda:0`.
        has_openvino: Whether OpenVINO can run weights here.
    """
    runs_in_openvino = device.partition(":")[0] in {"cpu", "gpu"}
    return "openvino" if runs_in_openvino and has_openvino else "torch"


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
