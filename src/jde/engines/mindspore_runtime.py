import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jde.engines.graph_runtime import Arrays, choose_size
from jde.engines.model_card import PREFIX, ModelCard, map_names
from jde.engines.onnx_runtime import join
from jde.structures.errors import InputError, MissingExtraError
from jde.structures.letterbox import Size


class MindSporeRuntime:
    """Runs a MINDIR file in MindSpore, picture by picture.

    Args:
        path: File that `jde export` wrote.
        device: `cpu`, `gpu` or `ascend`; `auto` is the processor.
        size: Width and height of the input: only that of the file.
        threads: Of MindSpore, for the whole process; all cores where not given.

    Raises:
        InputError: The file can't be used, or the device isn't there.
        MissingExtraError: MindSpore isn't installed.
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
        self._mindspore = import_mindspore(f"running {path}")
        self.card = read_card(path)
        self.input_size = choose_size(self.card, self.card.config.input_size, size, str(path))
        self.constants: Arrays = {}
        self._device = "CPU" if device == "auto" else device.capitalize().replace("Cpu", "CPU")
        self._graph = load_graph(path, self._device, threads)

    @property
    def name(self) -> str:
        """Name of the runtime, the device and the precision."""
        return f"mindspore {self._device.lower()} {self.card.precision}"

    def run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        """Return the outputs for RGB pictures of the input size."""
        return join([self._run(images[row : row + 1]) for row in range(len(images))])

    def _run(self, image: UInt8[np.ndarray, "1 h w 3"]) -> Arrays:
        answers = self._graph(self._mindspore.Tensor(np.ascontiguousarray(image)))
        names = map_names(sparse=False)
        return {name: answer.asnumpy() for name, answer in zip(names, answers, strict=True)}


def import_mindspore(purpose: str) -> Any:
    """Return the package, which speaks of errors only.

    Raises:
        MissingExtraError: It isn't installed.
    """
    os.environ.setdefault("GLOG_v", "3")
    try:
        import mindspore  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("mindspore", "mindir", purpose) from error
    return mindspore


def read_card(path: Path) -> ModelCard:
    """Return what a MINDIR file says about itself.

    Raises:
        InputError: It is damaged, or `jde export` didn't write it.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 (comes with MindSpore)
    from mindspore.train.mind_ir_pb2 import ModelProto  # noqa: PLC0415 (optional)

    model = ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise InputError(f"{path}: damaged: MindSpore can't read it; export it again") from error
    entries = {key.removeprefix(PREFIX): text for key, text in model.user_info.items()}
    return ModelCard.from_entries(entries, str(path))


def load_graph(path: Path, device: str, threads: int | None) -> Any:
    """Return the graph of a MINDIR file, ready to be called.

    Raises:
        InputError: The device isn't there, or the file can't be loaded.
    """
    mindspore = import_mindspore(f"running {path}")
    try:
        mindspore.set_device(device)
        if threads is not None:
            mindspore.runtime.set_cpu_affinity(enable_affinity=False)
            mindspore.set_context(runtime_num_threads=threads)
        return mindspore.nn.GraphCell(mindspore.load(str(path)))
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: MindSpore can't load it on {device}: {reason}") from error
