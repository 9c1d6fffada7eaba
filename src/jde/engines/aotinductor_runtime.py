import platform
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jde.engines.compiled_package import Build, read_notes
from jde.engines.graph_runtime import Arrays, choose_size
from jde.engines.onnx_runtime import join
from jde.structures.errors import InputError, MissingExtraError
from jde.structures.letterbox import Size


class AotInductorRuntime:
    """Runs a package of machine code that PyTorch compiled from a network.

    Pictures run one by one on a processor, where that takes no longer, and together on a GPU.

    Args:
        path: File that `jde export` wrote. It is a program: run only files of people you trust.
        device: `cpu`, `cuda` or `cuda:1`; `auto` is the one it was compiled for.
        size: Width and height of the input: only that of the file.
        threads: Of PyTorch, for the whole process; as they are where not given.

    Raises:
        InputError: The package can't be used, or not here.
        MissingExtraError: PyTorch isn't installed.
    """

    streams = 1
    takes_any_size = False

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        size: Size | None = None,
        threads: int | None = None,
    ) -> None:
        notes = read_notes(path)
        self._torch = import_torch(path)
        check_build(path, notes.build, device)
        self.card, self.constants = notes.card, notes.constants
        self.input_size = choose_size(self.card, self.card.config.input_size, size, str(path))
        self._names, self._device = notes.names, notes.build.device
        if ":" in device:
            self._device = device
        if threads is not None:
            self._torch.set_num_threads(threads)
        self._package = load_package(path, self._device)

    @property
    def name(self) -> str:
        """Name of the runtime, the device and the precision."""
        return f"aotinductor {self._device} {self.card.precision}"

    def run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        """Return the outputs for RGB pictures of the input size."""
        if self._device == "cpu":
            return join([self._run(images[row : row + 1]) for row in range(len(images))])
        return self._run(images)

    def _run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        pictures = self._torch.from_numpy(np.ascontiguousarray(images)).to(self._device)
        answers = self._package(pictures)
        return {
            name: answer.cpu().numpy() for name, answer in zip(self._names, answers, strict=True)
        }


def import_torch(path: Path) -> Any:
    """Return the package.

    Raises:
        MissingExtraError: It isn't installed.
    """
    try:
        import torch  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("torch", "torch", f"running {path}") from error
    return torch


def build_here(device: str) -> Build:
    """Return what this machine compiles for, and runs."""
    import torch  # noqa: PLC0415 (optional)

    return Build(
        device=device,
        machine=platform.machine(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        torch=".".join(torch.__version__.split(".")[:2]),
    )


def check_build(path: Path, build: Build, device: str) -> None:
    """Refuse machine code that can't run here, or not on the asked device.

    Raises:
        InputError: The message says what it was compiled for.
    """
    if device not in {"auto", build.device} and device.partition(":")[0] != build.device:
        raise InputError(
            f"{path}: compiled for {build.device}, not {device!r}: export it with --device {device}"
        )
    obstacle = build.obstacle(build_here(build.device))
    if obstacle is not None:
        raise InputError(f"{path}: {obstacle}: export it again here")


def load_package(path: Path, device: str) -> Any:
    """Return the compiled network.

    Raises:
        InputError: The file is damaged, or the device isn't there.
    """
    from torch._inductor import aoti_load_package  # noqa: PLC0415 (optional)

    index = int(device.partition(":")[2] or -1)
    try:
        return aoti_load_package(str(path), device_index=index)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: PyTorch can't load it: {reason}") from error
