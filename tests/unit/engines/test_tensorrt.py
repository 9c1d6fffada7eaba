"""TensorRT's side is played by `tests.fake_tensorrt`; no plan was ever run by the real one here."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file
from tests.fake_tensorrt import FakeCuda, fake_modules
from tests.tiny_network import SIZE, tiny_network

from jde.engines.exported_file import open_export, recognise_export
from jde.engines.tensorrt_plan import PlanFile, read_plan_file, write_plan_file
from jde.engines.tensorrt_runtime import DeviceMemory, TensorRtRuntime
from jde.engines.torch_engine import TorchEngine
from jde.export.exporting import ExportSettings, export_network
from jde.model.detector import Detector
from jde.model.network import JDENet
from jde.model.post_processing import PostProcessing
from jde.structures.errors import InputError
from jde.weights.loading import load_detector

MIN_SCORE = 0.6
PLAN = ExportSettings(format="tensorrt")

InstallFake = Callable[..., FakeCuda]
Pictures = list[np.ndarray]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> InstallFake:
    """Return what puts the stand-ins in the place of the packages."""

    def installed(gpus: int = 1) -> FakeCuda:
        modules = dict(fake_modules(gpus))
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        cuda = modules["cuda.bindings.runtime"]
        assert isinstance(cuda, FakeCuda)
        return cuda

    return installed


@pytest.fixture(scope="module")
def network() -> JDENet:
    return tiny_network()


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8) for _ in range(8)]


@pytest.mark.parametrize("settings", [PLAN, replace(PLAN, outputs="detections")], ids=str)
def test_what_is_built_finds_what_the_network_finds(
    settings: ExportSettings,
    network: JDENet,
    pictures: Pictures,
    install: InstallFake,
    tmp_path: Path,
) -> None:
    install()
    path = tmp_path / "street.engine"
    export_network(network, path, settings)
    assert recognise_export(path) == "tensorrt"
    origin = Detector(
        TorchEngine(network, device="cpu"), network.config, PostProcessing(min_score=MIN_SCORE)
    )
    exported = load_detector(path, min_score=MIN_SCORE)
    assert exported.engine.name == "tensorrt cuda float32"
    # More pictures than a plan takes at once.
    for first, second in zip(origin.batch(pictures), exported.batch(pictures), strict=True):
        shared = min(len(first), len(second), 20)
        assert shared == 20
        np.testing.assert_allclose(second.boxes[:shared], first.boxes[:shared], atol=0.01)
        np.testing.assert_allclose(second.embeddings[:shared], first.embeddings[:shared], atol=1e-4)


def test_sixteen_bits_are_in_the_graph_and_not_at_its_ends(
    network: JDENet, install: InstallFake, tmp_path: Path
) -> None:
    install()
    path = tmp_path / "street.engine"
    export_network(network, path, replace(PLAN, precision="float16"))
    content = read_plan_file(path)
    graph = onnx.load_from_string(content.plan).graph
    weights = {each.data_type for each in graph.initializer if len(each.dims) == 4}
    assert weights == {onnx.TensorProto.FLOAT16}
    assert {out.type.tensor_type.elem_type for out in graph.output} == {onnx.TensorProto.FLOAT}
    assert content.card.precision == "float16"


def test_eight_bits_are_signed_and_lie_around_zero(
    network: JDENet, pictures: Pictures, install: InstallFake, tmp_path: Path
) -> None:
    install()
    path = tmp_path / "street.engine"
    export_network(network, path, PLAN, calibration=[picture[None] for picture in pictures[:2]])
    graph = onnx.load_from_string(read_plan_file(path).plan).graph
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    scaled = [node for node in graph.node if node.op_type in {"QuantizeLinear", "DequantizeLinear"}]
    assert len(scaled) > 10
    for node in scaled:
        assert values[node.input[2]].dtype == np.int8
        assert not values[node.input[2]].any()


def test_memory_grows_with_what_is_asked_and_never_shrinks(install: InstallFake) -> None:
    cuda = install()
    memory = DeviceMemory(cuda)
    small = memory.place("images", 100)
    assert memory.place("images", 60) == small
    large = memory.place("images", 200)
    assert cuda.freed == [small]
    assert list(cuda.blocks) == [large]
    with pytest.raises(RuntimeError, match="CUDA"):
        memory.upload("images", np.zeros(201, np.uint8))


def test_absent_packages_give_the_line_that_installs_them(
    network: JDENet, install: InstallFake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(InputError, match=r"needs tensorrt.*pip install 'jde\[tensorrt\]'"):
        export_network(network, tmp_path / "street.engine", PLAN)
    install()
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(InputError, match=r"needs cuda-bindings.*pip install 'jde\[tensorrt\]'"):
        export_network(network, tmp_path / "street.engine", PLAN)


def test_what_can_not_run_here_is_refused(
    network: JDENet, install: InstallFake, tmp_path: Path
) -> None:
    install(gpus=0)
    path = tmp_path / "street.engine"
    with pytest.raises(InputError, match="TensorRT needs an NVIDIA GPU, 0 are here"):
        export_network(network, path, PLAN)
    install()
    export_network(network, path, PLAN)
    content = read_plan_file(path)
    with pytest.raises(InputError, match=r"device 'cuda:1'.*1 are here"):
        open_export(path, device="cuda:1")
    write_plan_file(path, replace(content, version="10.0.1"))
    with pytest.raises(InputError, match=r"built by TensorRT 10\.0\.1, this is 11\.4\.0"):
        open_export(path)
    write_plan_file(path, replace(content, plan=b"damaged"))
    with pytest.raises(InputError, match="the plan is damaged or of another GPU"):
        TensorRtRuntime(path)


def test_weights_of_the_same_layout_are_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"plan": np.zeros(300, np.uint8)}, path)
    assert recognise_export(path) is None


def test_a_plan_file_keeps_everything(
    network: JDENet, install: InstallFake, tmp_path: Path
) -> None:
    install()
    path = tmp_path / "street.engine"
    export_network(network, path, PLAN)
    content = read_plan_file(path)
    assert isinstance(content, PlanFile)
    assert content.card.config == network.config
    assert content.version == "11.4.0"
    assert set(content.constants) == {
        f"embedding_{kind}_{stride}" for kind in ("kernel", "bias") for stride in (32, 16, 8)
    }
