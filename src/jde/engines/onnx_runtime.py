from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jde.engines.graph_runtime import Arrays, choose_size
from jde.engines.model_card import IMAGES, PREFIX, ModelCard, constant_names
from jde.engines.parallelism import ALL_FOR_ONE, Parallelism, core_count
from jde.structures.errors import InputError, MissingExtraError
from jde.structures.letterbox import Size


class OnnxRuntime:
    """Runs an exported ONNX file in ONNX Runtime.

    Args:
        path: File that `jde export` wrote.
        device: `cpu`, `cuda` or `cuda:0`; `auto` takes CUDA where the installed package has it.
        size: Width and height of the input, where the file allows several.
        parallelism: Its threads, and how many calls of `run` share them at a time, on a processor.

    Attributes:
        streams: As many as there are.

    Raises:
        InputError: The file can't be used, or the device isn't there.
        MissingExtraError: ONNX Runtime isn't installed.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        size: Size | None = None,
        parallelism: Parallelism = ALL_FOR_ONE,
    ) -> None:
        self._session, self.streams = open_session(path, device, parallelism)
        entries = self._session.get_modelmeta().custom_metadata_map
        self.card = ModelCard.from_entries(
            {key.removeprefix(PREFIX): text for key, text in entries.items()}, str(path)
        )
        height, width = self._session.get_inputs()[0].shape[1:3]
        self.takes_any_size = not (isinstance(height, int) and isinstance(width, int))
        fixed = None if self.takes_any_size else (width, height)
        self.input_size = choose_size(self.card, fixed, size, str(path))
        names = [output.name for output in self._session.get_outputs()]
        unchanging = set(constant_names())
        self._names = [name for name in names if name not in unchanging]
        self.constants: Arrays = self._read([name for name in names if name in unchanging])

    @property
    def name(self) -> str:
        """Name of the runtime, the device and the precision."""
        provider = self._session.get_providers()[0].removesuffix("ExecutionProvider").lower()
        return f"onnx {provider} {self.card.precision}"

    def run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        """Return the outputs for RGB pictures of one size that it takes."""
        if self._batch is not None and len(images) != self._batch:
            return join([self._run(images[row : row + 1]) for row in range(len(images))])
        return self._run(images)

    @property
    def _batch(self) -> int | None:
        batch = self._session.get_inputs()[0].shape[0]
        return batch if isinstance(batch, int) else None

    def _run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        answers = self._session.run(self._names, {IMAGES: np.ascontiguousarray(images)})
        return dict(zip(self._names, answers, strict=True))

    def _read(self, names: list[str]) -> Arrays:
        # Also warms up: the first picture of a video then takes no longer than the others.
        width, height = self.input_size
        blank = np.zeros((1, height, width, 3), np.uint8)
        answers = self._session.run(names or None, {IMAGES: blank})
        return dict(zip(names, answers, strict=True)) if names else {}


def open_session(path: Path, device: str, parallelism: Parallelism) -> tuple[Any, int]:
    """Return an inference session of a file, and how many threads may call it at the same time.

    Raises:
        InputError: The file is damaged, or the device isn't there.
        MissingExtraError: ONNX Runtime isn't installed.
    """
    try:
        import onnxruntime  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx", f"running {path}") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # Errors; warnings name shapes that are as they should be.
    providers = choose_providers(device, onnxruntime.get_available_providers())
    on_processor = providers == ["CPUExecutionProvider"]
    streams = parallelism.streams_on(core_count()) if on_processor else 1
    if parallelism.threads is not None or streams > 1:
        options.intra_op_num_threads = parallelism.threads_of_each(streams)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers), streams
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: ONNX Runtime can't load it: {reason}") from error


def choose_providers(device: str, present: list[str]) -> list[Any]:
    """Return what ONNX Runtime calls the parts that run on a device.

    Raises:
        InputError: The installed ONNX Runtime has no such part.
    """
    kind, _, number = device.partition(":")
    has_cuda = "CUDAExecutionProvider" in present
    if kind == "cpu" or (kind == "auto" and not has_cuda):
        return ["CPUExecutionProvider"]
    if kind in {"auto", "cuda"} and has_cuda:
        return [("CUDAExecutionProvider", {"device_id": int(number or 0)}), "CPUExecutionProvider"]
    raise InputError(
        f"device {device!r}: the installed ONNX Runtime has {', '.join(present)}; "
        "for NVIDIA cards install onnxruntime-gpu in place of onnxruntime"
    )


def join(parts: list[Arrays]) -> Arrays:
    """Return the outputs of several runs as of one batch."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
