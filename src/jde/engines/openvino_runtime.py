from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from jde.engines.graph_runtime import Arrays, choose_size
from jde.engines.infer_requests import InferRequests
from jde.engines.model_card import IMAGES, ModelCard, constant_names
from jde.engines.onnx_runtime import join
from jde.engines.parallelism import ALL_FOR_ONE, Parallelism
from jde.structures.errors import InputError, MissingExtraError
from jde.structures.frame import size_of
from jde.structures.letterbox import Size

CARD = "jde"
"""Where the metadata lie in the runtime information of a file."""

KEPT_SIZES = 4
"""Sizes of pictures for which a graph stays compiled: the weights are in memory for each."""


class OpenVinoRuntime:
    """Runs a graph in OpenVINO, tuned for the time of one picture or for pictures side by side.

    Batches run picture by picture: on a processor that takes no longer, and a picture's result
    doesn't depend on its neighbours. A graph that takes any size is compiled for each size of
    picture when the first one comes; for the input size at once, unless its input is fitted to the
    pictures.

    Args:
        graph: OpenVINO graph with names and card in place; changed.
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
        self.takes_any_size = not (height.is_static and width.is_static)
        fixed = None if self.takes_any_size else (width.get_length(), height.get_length())
        self.input_size = choose_size(self.card, fixed, size, origin)
        if precision == "auto" and self.card.outputs == "detections":
            precision = "float32"  # Pixels of a whole picture don't fit into 16 bits.
        self._device = device_name(device)
        self._core = open_core(self._device)
        self.streams = count_streams(self._core, self._device, parallelism)
        self._settings = settings_for(self._device, precision, parallelism.threads, self.streams)

        @lru_cache(KEPT_SIZES)
        def compiled(size: Size) -> CompiledGraph:
            graph.reshape({IMAGES: [1, size[1], size[0], 3]})
            model = self._core.compile_model(graph, self._device, self._settings)
            return CompiledGraph(model, InferRequests(model, self.streams))

        self._compiled, self._lock = compiled, Lock()
        self._latest: CompiledGraph | None = None
        if self.card.config.input_shape == "fixed" or not self.takes_any_size:
            self._latest = compiled(self.input_size)

    @property
    def name(self) -> str:
        """Name of the runtime, the device and the precision."""
        device = self._device.lower()
        if self.card.precision == "int8":
            return f"openvino {device} int8"
        hint = self.property("INFERENCE_PRECISION_HINT").get_type_name()
        return f"openvino {device} {PRECISION_NAMES.get(hint, hint)}"

    def property(self, name: str) -> Any:
        """Return a setting that OpenVINO runs with, such as `INFERENCE_NUM_THREADS`."""
        if self._latest is not None:
            return self._latest.model.get_property(name)
        if name in self._settings:  # Nothing is compiled yet.
            return self._settings[name]
        return self._core.get_property(self._device, name)

    def run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        """Return the outputs for RGB pictures of one size that it takes."""
        size = size_of(images[0]) if self.takes_any_size else self.input_size
        with self._lock:
            ready = self._latest = self._compiled(size)
        return join([ready.requests.run(images[row : row + 1]) for row in range(len(images))])


class CompiledGraph(NamedTuple):
    """A graph that is ready to run on pictures of one size.

    Attributes:
        model: What OpenVINO compiled.
        requests: They run it.
    """

    model: Any
    requests: InferRequests


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


@lru_cache(1)
def shared_core() -> Any:
    """Return OpenVINO's core, one for the life of the process.

    Its plugin for processors gives the stack on which signals are handled to the thread that loads
    it. A core that another thread lets go of, as the garbage collector may, takes the memory away
    and leaves the first thread with it: the next Ctrl-C would end the process without a word.
    """
    return import_openvino("running an exported network").Core()


def open_core(device: str) -> Any:
    """Return what compiles graphs for a device.

    Raises:
        InputError: There is no such device.
    """
    core = shared_core()
    kinds = {name.partition(".")[0] for name in core.available_devices}
    if device.partition(".")[0] not in kinds:
        raise InputError(
            f"device {device.lower()!r}: OpenVINO finds {', '.join(core.available_devices)} here"
        )
    return core


def count_streams(core: Any, device: str, parallelism: Parallelism) -> int:
    """Return how many pictures a device works on side by side: a processor one a thread at most."""
    if device != "CPU":
        return parallelism.streams_on(1)
    cores = core.get_property(device, "RANGE_FOR_STREAMS")[1]
    return min(parallelism.streams_on(cores), parallelism.threads or cores)


def settings_for(device: str, precision: str, threads: int | None, streams: int) -> dict[str, Any]:
    """Return what OpenVINO calls the precision and the parallelism."""
    settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if device == "CPU" and precision == "float16":
        precision = "float32"  # What it computes in then.
    if precision != "auto":
        types = import_openvino("running an exported network").Type
        settings["INFERENCE_PRECISION_HINT"] = getattr(types, PRECISION_TYPES[precision])
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    if streams > 1:
        settings["NUM_STREAMS"] = streams
    if streams > 1 and device == "CPU":
        # A thread bound to a core waits there while decoding has it, though another may be free.
        settings["ENABLE_CPU_PINNING"] = False
    return settings
