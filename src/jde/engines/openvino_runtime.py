from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jde.engines.graph_runtime import Arrays, choose_size
from jde.engines.infer_requests import InferRequests
from jde.engines.model_card import IMAGES, ModelCard, constant_names
from jde.engines.onnx_runtime import join
from jde.engines.parallelism import ALL_FOR_ONE, Parallelism
from jde.structures.errors import InputError, MissingExtraError
from jde.structures.letterbox import Size

CARD = "jde"
"""Where the metadata lie in the runtime information of a file."""


class OpenVinoRuntime:
    """Runs a graph in OpenVINO, tuned for the time of one picture or for pictures side by side.

    Batches run picture by picture: on a processor that takes no longer, and a picture's result
    doesn't depend on its neighbours.

    Args:
        graph: OpenVINO graph with names and card in place.
        origin: Its name in messages.
        device: `cpu`, or a device of OpenVINO such as `gpu` or `npu`; `auto` is the processor.
        precision: `auto` is what the device is fastest at, bfloat16 on processors that have it,
            but float32 where the graph finishes its detections; or `float32`, `bfloat16`.
        size: Width and height of the input, where the graph allows several.
        parallelism: Its threads, and how many calls of `run` share them at a time: one stream has
            all of them for one picture, several work on a picture each.

    Attributes:
        streams: As many as there are; fewer than asked for where threads are fewer.

    Raises:
        InputError: The graph or the device can't be used.
    """

    def __init__(
        self,
        graph: Any,
        *,
        origin: str,
        device: str = "auto",
        precision: str = "auto",
        size: Size | None = None,
        parallelism: Parallelism = ALL_FOR_ONE,
    ) -> None:
        self.card = read_card(graph, origin)
        self.constants: Arrays = take_constants(graph)
        _, height, width, _ = graph.inputs[0].get_partial_shape()
        is_fixed = height.is_static and width.is_static
        fixed = (width.get_length(), height.get_length()) if is_fixed else None
        self.input_size = choose_size(self.card, fixed, size, origin)
        graph.reshape({IMAGES: [1, self.input_size[1], self.input_size[0], 3]})
        if precision == "auto" and self.card.outputs == "detections":
            precision = "float32"  # Pixels of a whole picture don't fit into 16 bits.
        self._compiled = compile_graph(graph, device_name(device), precision, parallelism)
        several = parallelism.streams != 1
        self.streams = int(self._compiled.get_property("NUM_STREAMS")) if several else 1
        self._requests = InferRequests(self._compiled, self.streams)

    @property
    def name(self) -> str:
        """Name of the runtime, the device and the precision."""
        device = self._compiled.get_property("EXECUTION_DEVICES")[0].lower()
        if self.card.precision == "int8":
            return f"openvino {device} int8"
        hint = self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        return f"openvino {device} {PRECISION_NAMES.get(hint, hint)}"

    def property(self, name: str) -> object:
        """Return a setting that OpenVINO runs with, such as `INFERENCE_NUM_THREADS`."""
        return self._compiled.get_property(name)

    def run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        """Return the outputs for RGB pictures of the input size."""
        return join([self._requests.run(images[row : row + 1]) for row in range(len(images))])


PRECISION_TYPES = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
PRECISION_NAMES = {short: name for name, short in PRECISION_TYPES.items()}


def import_openvino(purpose: str) -> Any:
    """Return the package.

    Raises:
        MissingExtraError: It isn't installed.
    """
    try:
        import openvino  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("openvino", "openvino", purpose) from error
    return openvino


def read_graph(path: Path) -> Any:
    """Return the graph of an OpenVINO (.xml with .bin beside it) or ONNX file.

    Raises:
        InputError: The file is damaged, or its .bin is missing.
        MissingExtraError: OpenVINO isn't installed.
    """
    openvino = import_openvino(f"running {path}")
    weights = path.with_suffix(".bin")
    if path.suffix == ".xml" and not weights.exists():
        raise InputError(f"{path}: the file with its weights, {weights.name}, must lie beside it")
    try:
        return openvino.Core().read_model(path)
    except RuntimeError as error:
        reason = [line for line in str(error).splitlines() if line.strip()][-1]
        raise InputError(f"{path}: OpenVINO can't load it: {reason}") from error


def read_card(graph: Any, origin: str) -> ModelCard:
    """Return what a graph says about itself."""
    entries = {}
    if graph.has_rt_info([CARD]):
        for key in (*ModelCard.__slots__, "format_version"):
            if graph.has_rt_info([CARD, key]):
                entries[key] = str(graph.get_rt_info([CARD, key]).astype(str))
    return ModelCard.from_entries(entries, origin)


def write_card(graph: Any, card: ModelCard) -> None:
    """Put a card into the runtime information of a graph."""
    for key, text in card.to_entries().items():
        graph.set_rt_info(text, [CARD, key])


def take_constants(graph: Any) -> Arrays:
    """Remove the constant outputs from a graph, so that no run copies them, and return them."""
    wanted = set(constant_names())
    found = {}
    for result in graph.results:
        names = result.input_value(0).get_names() & wanted
        if names:
            found[names.pop()] = constant_value(result.input_value(0).get_node())
            graph.remove_result(result)
    return found


def constant_value(node: Any) -> np.ndarray:
    """Return the numbers of a constant, or of one that is stored in 16 bits and converted."""
    while node.get_type_name() != "Constant":
        node = node.input_value(0).get_node()
    return np.array(node.get_data(), np.float32)


def device_name(device: str) -> str:
    """Return what OpenVINO calls a device; `auto` is the processor."""
    return "CPU" if device == "auto" else device.upper().replace(":", ".")


def compile_graph(graph: Any, device: str, precision: str, parallelism: Parallelism) -> Any:
    """Return the graph ready to run on a device.

    Raises:
        InputError: There is no such device.
    """
    openvino = import_openvino("running an exported network")
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if precision != "auto":
        settings["INFERENCE_PRECISION_HINT"] = PRECISION_TYPES[precision]
    if parallelism.threads is not None:
        settings["INFERENCE_NUM_THREADS"] = parallelism.threads
    core = openvino.Core()
    kinds = {name.partition(".")[0] for name in core.available_devices}
    if device.partition(".")[0] not in kinds:
        raise InputError(
            f"device {device.lower()!r}: OpenVINO finds {', '.join(core.available_devices)} here"
        )
    cores = core.get_property(device, "RANGE_FOR_STREAMS")[1] if device == "CPU" else 1
    streams = parallelism.streams_on(cores)
    if streams > 1:
        settings["NUM_STREAMS"] = streams
    if streams > 1 and device == "CPU":
        # A thread bound to a core waits there while decoding has it, though another may be free.
        settings["ENABLE_CPU_PINNING"] = False
    return core.compile_model(graph, device, settings)
