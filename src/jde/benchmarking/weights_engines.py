"""Weights on every engine that can run them; the part of the contestants that needs torch."""

from importlib.util import find_spec
from pathlib import Path

from jde.benchmarking.contestants import Contestants, Wish
from jde.benchmarking.int8_engine import start_int8
from jde.benchmarking.random_network import random_network
from jde.engines.aotinductor_runtime import AotInductorRuntime
from jde.engines.conversion import run_in_openvino
from jde.engines.graph_engine import GraphEngine
from jde.engines.onnx_runtime import OnnxRuntime
from jde.engines.torch_engine import Precision, TorchEngine
from jde.export.exporting import ExportSettings, export_network
from jde.model.head_maps import Engine
from jde.model.network import JDENet
from jde.model.presets import find_preset
from jde.structures.errors import InputError
from jde.weights.running import load_whole_network

NEEDED = {
    "torch": ("torch",),
    "torch-compiled": ("torch",),
    "aotinductor": ("torch",),
    "openvino": ("openvino", "onnx"),
    "onnx": ("onnxruntime", "onnx"),
}
"""Packages that each engine needs to run weights."""

PRECISIONS: dict[str, Precision] = {
    "": "float32",
    "float32": "float32",
    "bfloat16": "bfloat16",
}
"""Of PyTorch, by what follows the engine's colon."""

INT8 = "int8"
KNOWN = {
    "torch": PRECISIONS.keys(),
    "torch-compiled": PRECISIONS.keys(),
    "aotinductor": PRECISIONS.keys(),
    "openvino": PRECISIONS.keys() | {INT8},
    "onnx": {"", INT8},
}
"""What may follow each engine's colon."""


def open_weights(wish: Wish, folder: Path) -> Contestants:
    """Return every engine that can run the weights here.

    Args:
        wish: What to compare.
        folder: For files that engines need.

    Raises:
        InputError: An engine is unknown, none is installed, or the weights can't be used.
    """
    missing = {name: missing_package(name) for name in wish.engines}
    notes = [
        f"{name}: skipped, {lacks} is not installed" for name, lacks in missing.items() if lacks
    ]
    present = [name for name, lacks in missing.items() if not lacks]
    if not present:
        raise InputError(f"no engine to measure: {'; '.join(notes) or 'name one'}")
    network = load(wish)
    engines = {name: start(network, name, wish, folder) for name in present}
    return Contestants(engines, network.config, notes)


def load(wish: Wish) -> JDENet:
    """Return the network that all engines run."""
    if wish.preset is not None:
        return random_network(find_preset(wish.preset, size=wish.size))
    return load_whole_network(wish.weights, size=wish.size)


def missing_package(name: str) -> str | None:
    """Return the package that an engine lacks here.

    Raises:
        InputError: There is no such engine.
    """
    kind, _, precision = name.partition(":")
    if precision not in KNOWN.get(kind, ()):
        raise InputError(
            f"engines: {name} is unknown; use torch, torch-compiled, aotinductor or openvino, each "
            "also with :float32 or :bfloat16, openvino:int8, onnx or onnx:int8"
        )
    needed = [*NEEDED[kind], *(["nncf"] if name == "openvino:int8" else [])]
    return next((package for package in needed if find_spec(package) is None), None)


def start(network: JDENet, name: str, wish: Wish, folder: Path) -> Engine:
    """Return an engine that runs the network."""
    kind, _, precision = name.partition(":")
    if kind in {"torch", "torch-compiled"}:
        return TorchEngine(
            network,
            device=wish.device,
            precision=PRECISIONS[precision],
            threads=wish.threads,
            compiled=kind == "torch-compiled",
        )
    if kind == "aotinductor":
        package = folder / f"{PRECISIONS[precision]}.pt2"
        settings = ExportSettings(format="aotinductor", precision=PRECISIONS[precision])
        export_network(network, package, settings)
        return GraphEngine(AotInductorRuntime(package, threads=wish.threads))
    if precision == INT8:
        return start_int8(
            network, "onnx" if kind == "onnx" else "openvino", folder, wish.parallelism
        )
    if kind == "openvino":
        return GraphEngine(
            run_in_openvino(network, precision=precision or "auto", parallelism=wish.parallelism)
        )
    path = folder / "network.onnx"
    export_network(network, path, ExportSettings(format="onnx"))
    return GraphEngine(OnnxRuntime(path, parallelism=wish.parallelism))
