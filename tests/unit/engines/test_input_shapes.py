"""The network's input in the shape of the picture, on every engine that takes any size."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny_network import SIZE, tiny_network

from jde.engines.conversion import run_in_openvino, to_openvino
from jde.engines.head_maps_graph import HeadMapsGraph
from jde.engines.infer_requests import InferRequests
from jde.engines.model_card import ModelCard
from jde.engines.onnx_conversion import to_onnx
from jde.engines.openvino_runtime import OpenVinoRuntime
from jde.engines.parallelism import Parallelism
from jde.export.exporting import ExportSettings, export_network
from jde.model.config import InputShape
from jde.model.detector import Detector
from jde.model.network import JDENet
from jde.structures.errors import InputError
from jde.structures.frame import Image
from jde.structures.letterbox import Size
from jde.weights.loading import load_detector
from jde.weights.running import make_engine

Open = Callable[..., Detector]
ONE_THREAD = Parallelism(threads=1)
UPRIGHT, WIDE = (96, 128), (128, 64)
"""Inputs for pictures of 60x80 and 200x100, of about as many pixels as 128x96 has."""

FORMS = {
    "dynamic.onnx": ExportSettings(format="onnx", dynamic_size=True),
    "dynamic.xml": ExportSettings(format="openvino", dynamic_size=True),
    "fixed.onnx": ExportSettings(format="onnx"),
    "fixed.xml": ExportSettings(format="openvino"),
}
RUNNING = ["torch", "openvino", "dynamic.onnx", "dynamic.xml"]


def network(shape: InputShape, size: Size = SIZE) -> JDENet:
    tiny = tiny_network()
    tiny.config = replace(tiny.config, input_shape=shape, input_size=size)
    return tiny


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what exports a network, whose input is to be fitted, once for all tests."""
    folder = tmp_path_factory.mktemp("files")

    @cache
    def written(name: str) -> Path:
        export_network(network("fitted"), folder / name, FORMS[name])
        return folder / name

    return written


@pytest.fixture(scope="module")
def open_detector(write: Callable[[str], Path]) -> Open:
    """Return what opens an engine or file, fitted or at a size."""

    def opened(name: str, size: Size | None = None) -> Detector:
        pytest.importorskip("openvino" if name.endswith(("openvino", "xml")) else "onnxruntime")
        if name in FORMS:
            detector = load_detector(write(name), size=size, threads=1)
            assert isinstance(detector, Detector)
            return detector
        tiny = network("fixed", size) if size else network("fitted")
        engine = make_engine(
            tiny, engine=name, device="cpu", precision="auto", parallelism=ONE_THREAD
        )
        return Detector(engine, tiny.config)

    return opened


@pytest.fixture
def pictures() -> list[Image]:
    rng = np.random.default_rng(0)
    sizes = [(60, 80), (200, 100), (160, 120), (60, 80)]
    return [rng.integers(0, 256, (height, width, 3), np.uint8) for width, height in sizes]


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Size]:
    """Return for which sizes OpenVINO compiles a graph from here on."""
    pytest.importorskip("openvino")
    sizes: list[Size] = []

    class Noted(InferRequests):
        def __init__(self, model: Any, streams: int) -> None:
            _, height, width, _ = model.inputs[0].shape
            sizes.append((width, height))
            super().__init__(model, streams)

    monkeypatch.setattr("jde.engines.openvino_runtime.InferRequests", Noted)
    return sizes


@pytest.mark.parametrize("name", RUNNING)
def test_a_fitted_input_finds_what_a_fixed_one_of_that_size_finds(
    name: str, open_detector: Open, pictures: list[Image]
) -> None:
    fitted, fixed = open_detector(name), open_detector(name, UPRIGHT)
    assert (fitted.input_size, fitted.input_for((60, 80))) == (SIZE, UPRIGHT)
    assert fixed.input_for((200, 100)) == UPRIGHT
    first, second = fixed(pictures[0]), fitted(pictures[0])
    assert len(first) > 5
    # PyTorch's kernels also depend on where in memory the weights lie.
    pixels, share = (1e-3, 1e-4) if name == "torch" else (0, 0)
    np.testing.assert_allclose(second.boxes, first.boxes, rtol=0, atol=pixels)
    np.testing.assert_allclose(second.scores, first.scores, rtol=0, atol=share)
    np.testing.assert_allclose(second.embeddings, first.embeddings, rtol=0, atol=share)
    for alone, each in zip(map(fitted, pictures), fitted.batch(pictures), strict=True):
        np.testing.assert_allclose(each.boxes, alone.boxes, atol=1e-3)
        np.testing.assert_allclose(each.embeddings, alone.embeddings, atol=1e-4)


def test_openvino_computes_what_a_graph_of_one_size_computes(pictures: list[Image]) -> None:
    pytest.importorskip("openvino")
    tiny = network("fixed")
    any_size = run_in_openvino(tiny, parallelism=ONE_THREAD)
    graph = HeadMapsGraph(tiny, sparse=True)
    file = to_onnx(graph, graph.output_names, size=SIZE, dynamic_batch=False)
    card = ModelCard(config=tiny.config)
    one_size = OpenVinoRuntime(to_openvino(file, card), origin="network", parallelism=ONE_THREAD)
    assert (any_size.takes_any_size, one_size.takes_any_size) == (True, False)
    image = np.resize(pictures[1], (1, SIZE[1], SIZE[0], 3))
    expected, found = one_size.run(image), any_size.run(image)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])
    for name in one_size.constants:
        np.testing.assert_array_equal(any_size.constants[name], one_size.constants[name])


def test_openvino_compiles_what_is_used_and_keeps_the_latest(
    open_detector: Open, pictures: list[Image], compiled: list[Size]
) -> None:
    detector = open_detector("openvino")
    name = detector.engine.name
    assert compiled == []
    detector.batch(pictures)
    assert compiled == [UPRIGHT, WIDE, SIZE]
    assert detector.engine.name == name
    others = [np.zeros((height, 400, 3), np.uint8) for height in (40, 1200)]
    detector.batch([*others, *pictures[1:3]])
    assert len(compiled) == 5
    detector(pictures[0])  # The least recently used of five.
    assert compiled[5:] == [UPRIGHT]


def test_openvino_is_ready_at_once_for_a_fixed_size(
    open_detector: Open, compiled: list[Size]
) -> None:
    open_detector("openvino", WIDE)
    open_detector("fixed.xml")
    assert compiled == [WIDE, SIZE]


def test_a_missing_device_is_refused_before_the_first_picture() -> None:
    pytest.importorskip("openvino")
    with pytest.raises(InputError, match="device 'npu': OpenVINO finds"):
        run_in_openvino(network("fitted"), device="npu")


@pytest.mark.parametrize("name", ["fixed.onnx", "fixed.xml"])
def test_files_of_one_size_keep_it_and_say_so(
    name: str, open_detector: Open, write: Callable[[str], Path]
) -> None:
    detector = open_detector(name)
    assert (detector.input_shape, detector.input_for((60, 80))) == ("fixed", SIZE)
    with pytest.raises(InputError, match=rf"{name}: .* of 128x96 only, .* --dynamic-size"):
        load_detector(write(name), shape="fitted")
