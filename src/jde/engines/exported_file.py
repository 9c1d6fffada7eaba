"""Exported files, recognised by their content, to whatever runs them. Needs no torch."""

from pathlib import Path
from typing import Literal

from jde.engines.graph_runtime import GraphRuntime
from jde.engines.onnx_runtime import OnnxRuntime
from jde.engines.openvino_runtime import OpenVinoRuntime, read_graph
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

ExportFormat = Literal["onnx", "openvino"]

HEAD = 512
VARINT_END = 0x80
IR_VERSION = 0x08
"""Tag of the first field of an ONNX file."""

ONNX_TAGS = frozenset({0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42})
"""Tags of the fields that may follow it: producer, domain, version, text, graph, opset."""


def recognise_export(path: Path) -> ExportFormat | None:
    """Return the format of an exported file, or None where it is something else."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.lstrip().startswith(b"<?xml") and b"<net" in head:
        return "openvino"
    is_safetensors = head[8:9] == b"{"
    if len(head) > HEAD // 2 and head[0] == IR_VERSION and not is_safetensors:
        return "onnx" if head[1] < VARINT_END and head[2] in ONNX_TAGS else None
    return None


def open_export(
    path: Path,
    *,
    engine: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    size: Size | None = None,
    threads: int | None = None,
) -> GraphRuntime:
    """Return a runtime with an exported file.

    Args:
        path: File that `recognise_export` knows.
        engine: `onnx` or `openvino`; `auto` is the one the file was written for.
        device: Where to run.
        precision: Of the arithmetic; ONNX files run as they were written.
        size: Width and height of the input, where the file allows several.
        threads: Of the network; all cores where not given.

    Raises:
        InputError: The file can't be used, or not so; the message says why.
    """
    kind = recognise_export(path)
    if kind is None:
        raise InputError(f"{path}: neither an ONNX nor an OpenVINO file")
    if engine not in {"auto", kind}:
        raise InputError(f"{path}: an {kind} file can't run on engine {engine!r}: use {kind}")
    if kind == "onnx":
        if precision not in {"auto", "float32"}:
            raise InputError(f"{path}: an ONNX file runs in the precision it was written in")
        return OnnxRuntime(path, device=device, size=size, threads=threads)
    return OpenVinoRuntime(
        read_graph(path),
        origin=str(path),
        device=device,
        precision=precision,
        size=size,
        threads=threads,
    )
