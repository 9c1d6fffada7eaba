"""Torch modules to ONNX, from which every other runtime starts."""

import tempfile
from pathlib import Path

import torch
from torch import nn

from jde.engines.model_card import IMAGES, constant_names
from jde.engines.quiet_torch import quiet_torch
from jde.structures.errors import MissingExtraError
from jde.structures.letterbox import Size

OPSET = 17
"""Version of ONNX's operators that all present runtimes know."""


def to_onnx(
    module: nn.Module,
    names: list[str],
    *,
    size: Size,
    dynamic_batch: bool = True,
    dynamic_size: bool = False,
    opset: int = OPSET,
) -> bytes:
    """Return a module that takes 8-bit pictures as an ONNX file in memory.

    Args:
        module: From uint8 (n, h, w, 3) to a tuple of tensors.
        names: Of the outputs, in order.
        size: Width and height of the input.
        dynamic_batch: Let the graph take any number of pictures.
        dynamic_size: Let the graph take any size that the network takes.
        opset: Version of the operators.

    Raises:
        MissingExtraError: The package `onnx` isn't installed.
    """
    need_onnx()
    pictures = torch.zeros(1, size[1], size[0], 3, dtype=torch.uint8)
    axes: dict[str, dict[int, str]] = {IMAGES: {}}
    if dynamic_batch:
        variable = [name for name in names if name not in set(constant_names())]
        axes |= {name: {0: "pictures"} for name in [IMAGES, *variable]}
    if dynamic_size:
        axes[IMAGES] |= {1: "height", 2: "width"}
    with tempfile.TemporaryDirectory() as folder, quiet_torch("torch.onnx"), torch.inference_mode():
        file = Path(folder) / "network.onnx"
        torch.onnx.export(
            module,
            (pictures,),
            file,
            input_names=[IMAGES],
            output_names=names,
            dynamic_axes=axes,
            opset_version=opset,
            # The tracing exporter: it needs no further package, writes old operator versions
            # without converting, and these networks hold nothing that tracing would lose.
            dynamo=False,
        )
        return file.read_bytes()


def need_onnx() -> None:
    """Refuse to go on without the package that PyTorch's exporter needs.

    Raises:
        MissingExtraError: The package `onnx` isn't installed.
    """
    try:
        import onnx  # noqa: F401, PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("onnx", "export", "writing ONNX") from error
