"""Exported files, recognised by their content, to whatever runs them. Needs no torch."""

from pathlib import Path
from typing import Literal, get_args

from jde.engines.aotinductor_runtime import AotInductorRuntime
from jde.engines.compiled_package import is_package
from jde.engines.graph_runtime import GraphRuntime
from jde.engines.mindspore_runtime import MindSporeRuntime
from jde.engines.onnx_runtime import OnnxRuntime
from jde.engines.openvino_runtime import OpenVinoRuntime, read_graph
from jde.engines.parallelism import ALL_FOR_ONE, Parallelism
from jde.engines.tensorrt_plan import is_plan_file
from jde.engines.tensorrt_runtime import TensorRtRuntime
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

ExportFormat = Literal["onnx", "openvino", "aotinductor", "mindir", "tensorrt"]

HEAD = 512
ZIP = b"PK\x03\x04"
MINDIR_VERSION, MINDIR_PRODUCER = b"\x0a", b"\x12\x09MindSpore"
VARINT_END = 0x80
IR_VERSION = 0x08
"""Tag of the first field of an ONNX file."""

ONNX_TAGS = frozenset({0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42})
"""Tags of the fields that may follow it: producer, domain, version, text, graph, opset."""

OpenFile = type[AotInductorRuntime] | type[MindSporeRuntime] | type[TensorRtRuntime]

RUNTIMES: dict[str, OpenFile] = {
    "aotinductor": AotInductorRuntime,
    "mindir": MindSporeRuntime,
    "tensorrt": TensorRtRuntime,
}
"""What runs the formats that are opened by their name alone and take one picture at a time."""


def recognise_export(path: Path) -> ExportFormat | None:
    """Return the format of an exported file, or None where it is something else."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(HEAD)
    tests = {
        "openvino": head.lstrip().startswith(b"<?xml") and b"<net" in head,
        "aotinductor": head.startswith(ZIP) and is_package(path),
        "mindir": head.startswith(MINDIR_VERSION) and MINDIR_PRODUCER in head,
        "onnx": is_onnx(head),
        "tensorrt": head[8:9] == b"{" and is_plan_file(path),
    }
    return next((kind for kind in get_args(ExportFormat) if tests[kind]), None)


def is_onnx(head: bytes) -> bool:
    """Return whether a file begins as ONNX files do."""
    is_safetensors = head[8:9] == b"{"
    if len(head) <= HEAD // 2 or head[0] != IR_VERSION or is_safetensors:
        return False
    return head[1] < VARINT_END and head[2] in ONNX_TAGS


def open_export(
    path: Path,
    *,
    engine: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    size: Size | None = None,
    parallelism: Parallelism = ALL_FOR_ONE,
) -> GraphRuntime:
    """Return a runtime with an exported file.

    Args:
        path: File that `recognise_export` knows.
        engine: Only the one the file was written for, which `auto` is, too.
        device: Where to run.
        precision: Of the arithmetic; only OpenVINO can run another one than was written.
        size: Width and height of the input, where the file allows several.
        parallelism: Threads of the network, and pictures side by side (OpenVINO and ONNX Runtime).

    Raises:
        InputError: The file can't be used, or not so; the message says why.
    """
    kind = recognise_export(path)
    if kind is None:
        raise InputError(f"{path}: no file that 'jde export' writes")
    if engine not in {"auto", kind}:
        raise InputError(f"{path}: an {kind} file can't run on engine {engine!r}: use 'auto'")
    if kind == "openvino":
        return OpenVinoRuntime(
            read_graph(path),
            origin=str(path),
            device=device,
            precision=precision,
            size=size,
            parallelism=parallelism,
        )
    runtime: GraphRuntime
    if kind == "onnx":
        runtime = OnnxRuntime(path, device=device, size=size, parallelism=parallelism)
    else:
        parallelism.refuse_streams(f"{kind} of {path}")
        runtime = RUNTIMES[kind](path, device=device, size=size, threads=parallelism.threads)
    # An int8 file computes the rest in float32.
    if precision not in {"auto", runtime.card.precision.replace("int8", "float32")}:
        raise InputError(f"{path}: runs only in the precision it was written in: leave it 'auto'")
    return runtime
