from collections.abc import Iterator

import pytest
import torch
from tests.tiny_network import tiny_network

from jde.engines.graph_engine import GraphEngine
from jde.engines.openvino_runtime import OpenVinoRuntime
from jde.engines.parallelism import Parallelism
from jde.structures.errors import InputError
from jde.weights.loading import load_detector
from jde.weights.running import choose_engine, make_engine


@pytest.fixture
def as_before() -> Iterator[None]:
    """Give PyTorch its threads back."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("device", "has_openvino", "engine"),
    [
        ("cpu", True, "openvino"),
        ("cpu", False, "torch"),
        ("gpu", True, "openvino"),
        ("cuda:1", True, "torch"),
        ("mps", True, "torch"),
    ],
)
def test_auto_is_the_fastest_engine_that_starts_at_once(
    device: str, *, has_openvino: bool, engine: str
) -> None:
    assert choose_engine(device, has_openvino=has_openvino) == engine


@pytest.mark.usefixtures("as_before")
def test_threads_reach_pytorch() -> None:
    torch.set_num_threads(2)
    make_engine(
        tiny_network(), engine="torch", device="cpu", precision="auto", parallelism=Parallelism(1)
    )
    assert torch.get_num_threads() == 1


def test_threads_reach_openvino() -> None:
    pytest.importorskip("openvino")
    made = make_engine(
        tiny_network(),
        engine="openvino",
        device="cpu",
        precision="float32",
        parallelism=Parallelism(threads=1),
    )
    assert isinstance(made, GraphEngine)
    assert isinstance(made.runtime, OpenVinoRuntime)
    assert made.runtime.property("INFERENCE_NUM_THREADS") == 1


def test_senseless_threads_are_refused() -> None:
    with pytest.raises(InputError, match="threads must be 1 or more, got 0"):
        load_detector("jde-nano", threads=0)


@pytest.mark.parametrize("streams", [0, -2])
def test_senseless_streams_are_refused(streams: int) -> None:
    with pytest.raises(InputError, match="streams must be 1 or more, or 'auto', got"):
        load_detector("jde-nano", streams=streams)


def test_pytorch_has_one_stream_and_says_so() -> None:
    made = make_engine(
        tiny_network(),
        engine="torch",
        device="cpu",
        precision="auto",
        parallelism=Parallelism(streams="auto"),
    )
    assert made.streams == 1
    with pytest.raises(InputError, match="engine 'torch' works on one picture after the other"):
        load_detector("jde-nano", engine="torch", streams=2)


def test_engines_of_files_say_how_to_write_one() -> None:
    for engine in ("onnx", "aotinductor", "mindir", "tensorrt"):
        with pytest.raises(InputError, match=f"jde export --format {engine}"):
            make_engine(tiny_network(), engine=engine, device="cpu", precision="auto")
