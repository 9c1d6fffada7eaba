from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from jde.engines.graph_runtime import Arrays, choose_size
from jde.engines.model_card import IMAGES
from jde.engines.onnx_runtime import join
from jde.engines.tensorrt_plan import read_plan_file
from jde.structures.errors import InputError, MissingExtraError
from jde.structures.letterbox import Size


class TensorRtRuntime:
    """Runs a TensorRT plan on an NVIDIA GPU.

    Args:
        path: File that `jde export` wrote. It is a program: run only files of people you trust.
        device: `cuda` or `cuda:1`; `auto` is the first GPU.
        size: Width and height of the input: only that of the file.
        threads: Not used: the processor only waits.

    Raises:
        InputError: There is no GPU, or the plan was built by another TensorRT or for another GPU.
        MissingExtraError: TensorRT or the CUDA bindings aren't installed.
    """

    streams = 1
    takes_any_size = False

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        size: Size | None = None,
        threads: int | None = None,  # noqa: ARG002 (all runtimes are opened alike)
    ) -> None:
        tensorrt, cuda = import_tensorrt(f"running {path}")
        choose_gpu(cuda, device)
        content = read_plan_file(path)
        if content.version != tensorrt.__version__:
            raise InputError(
                f"{path}: built by TensorRT {content.version}, this is {tensorrt.__version__}: "
                "export it again here"
            )
        self.card, self.constants = content.card, content.constants
        self.input_size = choose_size(self.card, self.card.config.input_size, size, str(path))
        # The engine needs its runtime as long as it lives.
        self._runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.ERROR))
        self._engine = self._runtime.deserialize_cuda_engine(content.plan)
        if self._engine is None:
            raise InputError(f"{path}: the plan is damaged or of another GPU: export it again here")
        self._context = self._engine.create_execution_context()
        self._memory = DeviceMemory(cuda)
        self._outputs = output_types(tensorrt, self._engine)
        self._max_batch = int(self._engine.get_tensor_profile_shape(IMAGES, 0)[2][0])

    @property
    def name(self) -> str:
        """Name of the runtime, the device and the precision."""
        return f"tensorrt cuda {self.card.precision}"

    def run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        """Return the outputs for RGB pictures of the input size."""
        step = self._max_batch
        return join([self._run(images[row : row + step]) for row in range(0, len(images), step)])

    def _run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        images = np.ascontiguousarray(images)
        self._context.set_input_shape(IMAGES, images.shape)
        answers = {
            name: np.empty(tuple(self._context.get_tensor_shape(name)), kind)
            for name, kind in self._outputs.items()
        }
        for name, array in {IMAGES: images, **answers}.items():
            self._context.set_tensor_address(name, self._memory.place(name, array.nbytes))
        self._memory.upload(IMAGES, images)
        if not self._context.execute_async_v3(self._memory.stream):
            raise RuntimeError("TensorRT could not run the network; its log says why")
        for name, array in answers.items():
            self._memory.download(name, array)
        self._memory.wait()
        return answers


class Block(NamedTuple):
    """Memory of a GPU."""

    address: int
    size: int


class DeviceMemory:
    """Memory of a GPU by name, made when it is first asked for and kept; and a stream.

    Args:
        cuda: Module `cuda.bindings.runtime`.
    """

    def __init__(self, cuda: Any) -> None:
        self._cuda = cuda
        self._blocks: dict[str, Block] = {}
        self.stream: int = int(self._ask(cuda.cudaStreamCreate()))

    def place(self, name: str, size: int) -> int:
        """Return the address of at least so many bytes."""
        block = self._blocks.get(name, Block(0, 0))
        if block.size < size:
            if block.size:
                self._ask(self._cuda.cudaFree(block.address))
            block = self._blocks[name] = Block(int(self._ask(self._cuda.cudaMalloc(size))), size)
        return block.address

    def upload(self, name: str, array: np.ndarray) -> None:
        """Start to copy an array to the memory of its name."""
        self._copy(self._blocks[name].address, array.ctypes.data, array.nbytes, "HostToDevice")

    def download(self, name: str, array: np.ndarray) -> None:
        """Start to fill an array from the memory of its name."""
        self._copy(array.ctypes.data, self._blocks[name].address, array.nbytes, "DeviceToHost")

    def wait(self) -> None:
        """Return once everything that was started is done."""
        self._ask(self._cuda.cudaStreamSynchronize(self.stream))

    def _copy(self, target: int, source: int, size: int, way: str) -> None:
        kind = getattr(self._cuda.cudaMemcpyKind, f"cudaMemcpy{way}")
        self._ask(self._cuda.cudaMemcpyAsync(target, source, size, kind, self.stream))

    @staticmethod
    def _ask(answer: tuple[Any, ...]) -> Any:
        error, *values = answer
        if int(error) != 0:
            raise RuntimeError(f"CUDA: {error}")
        return values[0] if values else None


def import_tensorrt(purpose: str) -> tuple[Any, Any]:
    """Return the packages `tensorrt` and `cuda.bindings.runtime`.

    Raises:
        MissingExtraError: One isn't installed.
    """
    try:
        import tensorrt  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("tensorrt", "tensorrt", purpose) from error
    try:
        from cuda.bindings import runtime  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("cuda-bindings", "tensorrt", purpose) from error
    return tensorrt, runtime


def choose_gpu(cuda: Any, device: str) -> None:
    """Make a GPU the one that everything runs on.

    Raises:
        InputError: There is no such GPU.
    """
    kind, _, number = device.partition(":")
    error, count = cuda.cudaGetDeviceCount()
    found = count if int(error) == 0 else 0
    if kind not in {"auto", "cuda"} or not int(number or 0) < found:
        raise InputError(f"device {device!r}: TensorRT needs an NVIDIA GPU, {found} are here")
    cuda.cudaSetDevice(int(number or 0))


def output_types(tensorrt: Any, engine: Any) -> dict[str, Any]:
    """Return the number types of the outputs by name."""
    names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
    return {
        name: tensorrt.nptype(engine.get_tensor_dtype(name))
        for name in names
        if engine.get_tensor_mode(name) == tensorrt.TensorIOMode.OUTPUT
    }
