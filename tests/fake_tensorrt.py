"""Stand-ins for `tensorrt` and `cuda.bindings.runtime` with the signatures of the real packages.

Memory of the "GPU" is memory of this process, a plan is the ONNX graph it was built from, and ONNX
Runtime computes it. What is proved: calls, shapes, addresses, sizes; nothing about TensorRT.
Signatures: TensorRT 11.4 (docs.nvidia.com), CUDA bindings 13 (looked up in the package).
"""

import ctypes
from collections.abc import Iterator
from enum import IntEnum
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime

MANY = 6
"""Pictures that the stand-in takes at once."""


class CudaError(IntEnum):
    SUCCESS = 0
    INVALID = 1


class MemcpyKind(IntEnum):
    HostToDevice = 1
    DeviceToHost = 2


class FakeCuda(ModuleType):
    """Keeps count of every block and stream."""

    def __init__(self, gpus: int) -> None:
        super().__init__("cuda.bindings.runtime")
        self.gpus = gpus
        self.blocks: dict[int, Any] = {}
        self.freed: list[int] = []
        self.pending: list[tuple[int, int, int]] = []
        self.cudaMemcpyKind = type(
            "cudaMemcpyKind",
            (),
            {f"cudaMemcpy{kind.name}": kind for kind in MemcpyKind},
        )

    def cudaGetDeviceCount(self) -> tuple[CudaError, int]:
        return CudaError.SUCCESS if self.gpus else CudaError.INVALID, self.gpus

    def cudaSetDevice(self, device: int) -> tuple[CudaError]:
        return (CudaError.SUCCESS if device < self.gpus else CudaError.INVALID,)

    def cudaStreamCreate(self) -> tuple[CudaError, int]:
        return CudaError.SUCCESS, 77

    def cudaMalloc(self, size: int) -> tuple[CudaError, int]:
        block = ctypes.create_string_buffer(size)
        address = ctypes.addressof(block)
        self.blocks[address] = block
        return CudaError.SUCCESS, address

    def cudaFree(self, address: int) -> tuple[CudaError]:
        self.freed.append(address)
        return (CudaError.SUCCESS if self.blocks.pop(address, None) else CudaError.INVALID,)

    def cudaMemcpyAsync(
        self, dst: int, src: int, count: int, kind: MemcpyKind, stream: int
    ) -> tuple[CudaError]:
        assert stream == 77
        device = dst if kind is MemcpyKind.HostToDevice else src
        if device not in self.blocks or count > len(self.blocks[device]):
            return (CudaError.INVALID,)
        if kind is MemcpyKind.HostToDevice:
            ctypes.memmove(dst, src, count)
        else:  # Nothing has arrived before the stream was waited for.
            self.pending.append((dst, src, count))
        return (CudaError.SUCCESS,)

    def cudaStreamSynchronize(self, stream: int) -> tuple[CudaError]:
        assert stream == 77
        for target, source, count in self.pending:
            ctypes.memmove(target, source, count)
        self.pending.clear()
        return (CudaError.SUCCESS,)


class Logger:
    ERROR = 1

    def __init__(self, min_severity: int) -> None:
        self.min_severity = min_severity


class TensorIOMode(IntEnum):
    INPUT = 1
    OUTPUT = 2


class NetworkDefinitionCreationFlag(IntEnum):
    EXPLICIT_BATCH = 0
    STRONGLY_TYPED = 1


class Network:
    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.graph = b""


class Problem:
    def desc(self) -> str:
        return "8-bit input that is not cast"


class OnnxParser:
    def __init__(self, network: Network, logger: Logger) -> None:
        self.network, self.num_errors = network, 0

    def parse(self, model: bytes) -> bool:
        graph = onnx.load_from_string(model)
        (user,) = (node for node in graph.graph.node if "images" in node.input)
        self.num_errors = int(user.op_type != "Cast")  # TensorRT casts 8-bit input, or nothing.
        self.network.graph = model
        return not self.num_errors

    def get_error(self, index: int) -> Problem:
        return Problem()


class Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, tuple[tuple[int, ...], ...]] = {}

    def set_shape(
        self, input: str, min: tuple[int, ...], opt: tuple[int, ...], max: tuple[int, ...]
    ) -> None:
        self.shapes[input] = (min, opt, max)


class BuilderConfig:
    def __init__(self) -> None:
        self.profiles: list[Profile] = []

    def add_optimization_profile(self, profile: Profile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1


class Builder:
    def __init__(self, logger: Logger) -> None:
        pass

    def create_network(self, flags: int = 0) -> Network:
        return Network(flags)

    def create_optimization_profile(self) -> Profile:
        return Profile()

    def create_builder_config(self) -> BuilderConfig:
        return BuilderConfig()

    def build_serialized_network(self, network: Network, config: BuilderConfig) -> bytes | None:
        assert network.flags == 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED
        return network.graph if config.profiles else None


class Context:
    def __init__(self, engine: "CudaEngine") -> None:
        self.engine = engine
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert shape[0] <= MANY
        names = [value.name for value in self.engine.session.get_outputs()]
        answers = self.engine.session.run(names, {name: np.zeros(shape, np.uint8)})
        self.shapes = {name: shape}
        self.shapes |= {one: answer.shape for one, answer in zip(names, answers, strict=True)}
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.shapes[name]

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self.addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        images = self.view("images", np.uint8)
        names = [name for name in self.engine.values if name != "images"]
        answers = self.engine.session.run(names, {"images": images})
        for name, answer in zip(names, answers, strict=True):
            self.view(name, np.float32)[...] = answer
        return True

    def view(self, name: str, kind: Any) -> np.ndarray:
        shape = self.get_tensor_shape(name)
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        memory = (ctypes.c_char * size).from_address(self.addresses[name])
        return np.frombuffer(memory, kind).reshape(shape)


class CudaEngine:
    def __init__(self, graph: bytes) -> None:
        self.session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        ends = (*self.session.get_inputs(), *self.session.get_outputs())
        self.values = {value.name: value for value in ends}
        self.num_io_tensors = len(self.values)

    def get_tensor_name(self, index: int) -> str:
        return list(self.values)[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name == "images" else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> str:
        return str(self.values[name].type)

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        sides = tuple(self.values[name].shape[1:])
        return [(1, *sides), (1, *sides), (MANY, *sides)]

    def create_execution_context(self) -> Context:
        return Context(self)


class Runtime:
    def __init__(self, logger: Logger) -> None:
        pass

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> CudaEngine | None:
        return None if serialized_engine == b"damaged" else CudaEngine(serialized_engine)


def nptype(kind: str) -> type:
    return {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[kind]


def fake_modules(gpus: int = 1) -> Iterator[tuple[str, ModuleType]]:
    """Yield names and modules to put into `sys.modules`."""
    tensorrt = ModuleType("tensorrt")
    parts = (
        Logger,
        TensorIOMode,
        NetworkDefinitionCreationFlag,
        OnnxParser,
        Builder,
        Runtime,
        nptype,
    )
    for part in parts:
        setattr(tensorrt, part.__name__, part)
    tensorrt.__version__ = "11.4.0"  # type: ignore[attr-defined]
    runtime = FakeCuda(gpus)
    bindings = ModuleType("cuda.bindings")
    bindings.runtime = runtime  # type: ignore[attr-defined]
    yield "tensorrt", tensorrt
    yield "cuda", ModuleType("cuda")
    yield "cuda.bindings", bindings
    yield "cuda.bindings.runtime", runtime
