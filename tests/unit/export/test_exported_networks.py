import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.lively_network import SIZE, lively_network

from jde.engines.exported_file import recognise_export
from jde.engines.parallelism import Parallelism, core_count
from jde.engines.torch_engine import TorchEngine
from jde.export.exporting import ExportSettings, export_network
from jde.export.parity import compare
from jde.model.detector import Detector
from jde.model.network import JDENet
from jde.model.post_processing import PostProcessing
from jde.structures.errors import InputError
from jde.structures.frame import Image
from jde.weights.loading import load_detector

Write = Callable[[ExportSettings], Path]
OTHER_SIZE = (192, 160)
MIN_SCORE = 0.6
ONNX = ExportSettings(format="onnx")
DYNAMIC = ExportSettings(format="onnx", dynamic_size=True)
OPENVINO = ExportSettings(format="openvino")
ASCEND_MAPS = ExportSettings(format="onnx", target="ascend", sparse=False)
ASCEND_DETECTIONS = ExportSettings(format="onnx", target="ascend", outputs="detections")
ATC_OPERATORS = (
    "Add And Cast Clip Concat Conv Div Equal Exp Expand Flatten Gather GatherElements Greater "
    "Identity LeakyRelu Less MatMul Max Min Mul Pad ReduceSum Relu Reshape Resize Sigmoid Slice "
    "Split Sqrt Squeeze Sub TopK Transpose Unsqueeze Where"
)
"""Of the list of ONNX operators that CANN 8.0 (hiascend.com, "operatorlist_00176") compiles: those
that compute nothing from shapes."""

FORMS = [
    ONNX,
    ExportSettings(format="onnx", sparse=False),
    ExportSettings(format="onnx", outputs="detections"),
    DYNAMIC,
    ASCEND_MAPS,
    ASCEND_DETECTIONS,
    OPENVINO,
    ExportSettings(format="openvino", outputs="detections"),
]
ENDS = {"onnx": ".onnx", "openvino": ".xml"}


@pytest.fixture(scope="module")
def network() -> JDENet:
    return lively_network()


@pytest.fixture(scope="module")
def write(network: JDENet, tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Return what writes the network in a form, once for all tests."""

    @cache
    def written(settings: ExportSettings) -> Path:
        path = tmp_path_factory.mktemp("form") / f"network{ENDS[settings.format]}"
        export_network(network, path, settings)
        return path

    return written


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (120, 160, 3), np.uint8) for _ in range(2)]


@pytest.fixture(scope="module")
def origin(network: JDENet) -> Detector:
    settings = PostProcessing(min_score=MIN_SCORE)
    return Detector(TorchEngine(network, device="cpu"), network.config, settings)


@pytest.mark.parametrize("settings", FORMS, ids=str)
def test_every_form_finds_what_the_network_finds(
    settings: ExportSettings, write: Write, pictures: list[Image], origin: Detector
) -> None:
    exported = load_detector(write(settings), precision="float32", min_score=MIN_SCORE)
    assert exported.input_size == SIZE
    for first, second in zip(origin.batch(pictures), exported.batch(pictures), strict=True):
        assert len(first) > 10
        np.testing.assert_allclose(second.boxes, first.boxes, atol=0.01)
        np.testing.assert_allclose(second.scores, first.scores, atol=1e-4)
        np.testing.assert_allclose(second.embeddings, first.embeddings, atol=1e-4)
    alone = exported.batch(pictures[1:])[0]
    np.testing.assert_allclose(alone.boxes, second.boxes, atol=1e-2)


@pytest.mark.parametrize(
    "settings", [ONNX, ExportSettings(format="onnx", outputs="detections")], ids=str
)
def test_a_network_of_several_classes_keeps_them_in_its_file(
    settings: ExportSettings, pictures: list[Image], tmp_path: Path
) -> None:
    network = lively_network(classes=("person", "car"))
    looking = PostProcessing(min_score=0.4)
    origin = Detector(TorchEngine(network, device="cpu"), network.config, looking)
    export_network(network, tmp_path / "network.onnx", settings)
    exported = load_detector(tmp_path / "network.onnx", min_score=0.4)
    assert exported.config.classes == ("person", "car")
    first, second = origin(pictures[0]), exported(pictures[0])
    assert set(first.classes.tolist()) == {0, 1}
    np.testing.assert_array_equal(second.classes, first.classes)
    np.testing.assert_allclose(second.boxes, first.boxes, atol=0.01)
    np.testing.assert_allclose(second.scores, first.scores, atol=1e-4)


@pytest.mark.parametrize("settings", FORMS, ids=str)
def test_every_form_reads_the_appearance_of_a_box_at_its_points(
    settings: ExportSettings, pictures: list[Image], tmp_path: Path
) -> None:
    network = lively_network(points=8)
    looking = PostProcessing(min_score=MIN_SCORE)
    origin = Detector(TorchEngine(network, device="cpu"), network.config, looking)
    path = tmp_path / f"network{ENDS[settings.format]}"
    export_network(network, path, settings)
    exported = load_detector(path, precision="float32", min_score=MIN_SCORE)
    for first, second in zip(origin.batch(pictures), exported.batch(pictures), strict=True):
        assert len(first) > 10
        np.testing.assert_allclose(second.embeddings, first.embeddings, atol=1e-4)


@pytest.mark.parametrize("settings", [ASCEND_MAPS, ASCEND_DETECTIONS], ids=str)
def test_every_shape_for_ascend_is_a_number_and_every_operator_on_its_list(
    settings: ExportSettings, write: Write
) -> None:
    onnx = pytest.importorskip("onnx")
    from jde.export.static_shapes import open_shapes

    model = onnx.load(str(write(settings)))
    onnx.checker.check_model(model, full_check=True)
    assert open_shapes(model.SerializeToString()) == []
    assert {node.op_type for node in model.graph.node} <= set(ATC_OPERATORS.split())
    assert [opset.version for opset in model.opset_import] == [13]
    for value in (*model.graph.input, *model.graph.output):
        assert all(side.dim_value > 0 for side in value.type.tensor_type.shape.dim)


def test_shapes_that_depend_on_pictures_are_seen(write: Write) -> None:
    pytest.importorskip("onnx")
    from jde.export.static_shapes import open_shapes

    assert "box_deltas_32" in open_shapes(write(ONNX).read_bytes())


def test_a_dynamic_size_runs_at_others_and_a_fixed_one_says_so(
    write: Write, pictures: list[Image]
) -> None:
    detector = load_detector(write(DYNAMIC), size=OTHER_SIZE, min_score=MIN_SCORE)
    assert detector.input_size == OTHER_SIZE
    assert len(detector(pictures[0])) > 10
    with pytest.raises(InputError, match=r"128x96 only, not 192x160.*--dynamic-size"):
        load_detector(write(ONNX), size=OTHER_SIZE)


@pytest.mark.parametrize(
    ("settings", "precision"),
    [
        (OPENVINO, "bfloat16"),
        (OPENVINO, "float32"),
        (ExportSettings(format="openvino", outputs="detections"), "auto"),
        (ONNX, "auto"),
    ],
    ids=str,
)
def test_streams_and_calls_at_once_change_no_bit(
    settings: ExportSettings, precision: str, write: Write, pictures: list[Image]
) -> None:
    pytest.importorskip("openvino")
    alone = load_detector(write(settings), precision=precision, min_score=MIN_SCORE)
    several = load_detector(write(settings), precision=precision, min_score=MIN_SCORE, streams=2)
    assert alone.streams == 1
    assert several.streams in {2, min(2, core_count())}
    shifted = [np.roll(pictures[0], 8 * step, axis=1) for step in range(20)]
    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(several, shifted))
    for first, second in zip(map(alone, shifted), found, strict=True):
        assert len(first) > 10
        for part in ("boxes", "scores", "embeddings"):
            np.testing.assert_array_equal(getattr(first, part), getattr(second, part))


LET_GO_ELSEWHERE = """
import gc, signal, sys, threading
from jde.weights.loading import load_detector

caught = []
signal.signal(signal.SIGTERM, lambda number, frame: caught.append(number))
held = [load_detector(sys.argv[1])]

def let_go():
    held.clear()
    gc.collect()

thread = threading.Thread(target=let_go)
thread.start()
thread.join()
signal.raise_signal(signal.SIGTERM)
assert caught == [signal.SIGTERM]
"""


def test_a_signal_arrives_after_another_thread_let_go_of_a_detector(write: Write) -> None:
    pytest.importorskip("openvino")
    command = [sys.executable, "-c", LET_GO_ELSEWHERE, str(write(OPENVINO))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_threads_of_onnx_runtime_are_shared_out(write: Write) -> None:
    from jde.engines.onnx_runtime import open_session

    for wish, threads, streams in [
        (Parallelism(3), 3, 1),
        (Parallelism(6, 2), 3, 2),
        (Parallelism(1, "auto"), 1, 1),
        (Parallelism(None, 64), 1, 64),
    ]:
        session, served = open_session(write(ONNX), "cpu", wish)
        assert (session.get_session_options().intra_op_num_threads, served) == (threads, streams)


def test_files_are_known_by_their_content(write: Write, tmp_path: Path) -> None:
    renamed = Path(shutil.copy(write(ONNX), tmp_path / "anything.bin"))
    assert recognise_export(renamed) == "onnx"
    assert load_detector(renamed).engine.name == "onnx cpu float32"
    (tmp_path / "text.onnx").write_text("no network")
    assert recognise_export(tmp_path / "text.onnx") is None
    with pytest.raises(InputError, match="an onnx file can't run on engine 'torch'"):
        load_detector(renamed, engine="torch")


def test_damaged_and_foreign_files_are_refused(write: Write, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    cut, foreign, alone = (tmp_path / name for name in ("cut.onnx", "foreign.onnx", "network.xml"))
    cut.write_bytes(write(ONNX).read_bytes()[:5000])
    with pytest.raises(InputError, match=r"cut\.onnx: ONNX Runtime can't load it"):
        load_detector(cut)
    model = onnx.load(str(write(ONNX)))
    del model.metadata_props[:]
    onnx.save(model, str(foreign))
    with pytest.raises(InputError, match="a network that 'jde export' didn't write"):
        load_detector(foreign)
    shutil.copy(write(OPENVINO), alone)
    with pytest.raises(InputError, match=r"network\.bin, must lie beside it"):
        load_detector(alone)


@pytest.mark.parametrize("settings", [ONNX, OPENVINO], ids=["onnx", "openvino"])
def test_an_exported_file_runs_without_torch(settings: ExportSettings, write: Write) -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import jde, numpy as np\n"
        f"found = jde.load_detector({str(write(settings))!r})(np.zeros((96, 128, 3), np.uint8))\n"
        "print(found.embeddings.shape[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "128", done.stderr


def test_parity_of_a_network_with_itself_is_exact(origin: Detector, pictures: list[Image]) -> None:
    parity = compare(origin, origin, pictures)
    assert (parity.identical, parity.box_error, parity.score_error) == (1.0, (0, 0), (0, 0))
    assert parity.cosine == pytest.approx((1, 1), abs=1e-5)


def test_parity_sees_another_network(
    origin: Detector, network: JDENet, pictures: list[Image]
) -> None:
    short = TorchEngine(network, device="cpu", precision="bfloat16")
    parity = compare(origin, Detector(short, network.config, origin.settings), pictures)
    assert parity.identical < 1
    assert parity.box_error[1] > 0.01
    assert "identical after suppression" in parity.table()


def test_without_mindspore_the_message_holds_the_line_that_installs_it(
    network: JDENet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mindspore", None)
    settings = ExportSettings(format="mindir", sparse=False)
    with pytest.raises(InputError, match=r"writing MINDIR needs mindspore.*'jde\[mindir\]'"):
        export_network(network, tmp_path / "network.mindir", settings)
    file = tmp_path / "other.mindir"
    file.write_bytes(b"\x0a\x031.1\x12\x09MindSpore*\x062.10.0")
    assert recognise_export(file) == "mindir"
    with pytest.raises(InputError, match=r"other\.mindir needs mindspore.*'jde\[mindir\]'"):
        load_detector(file)


def test_senseless_wishes_are_refused(refused: Callable[..., None]) -> None:
    refused("written in float32 or bfloat16", format="aotinductor", precision="float16")
    refused("only aotinductor is compiled for one", format="onnx", device="cuda")
    refused("fixed size", format="tensorrt", dynamic_size=True)
    refused("dense embeddings only", format="mindir")
    refused("ascend", format="openvino", target="ascend")
    refused("fixed size", format="onnx", outputs="detections", dynamic_size=True)
    refused("limit", format="onnx", limit=0)


@pytest.fixture
def refused() -> Callable[..., None]:
    def check(words: str, **wishes: object) -> None:
        with pytest.raises(InputError, match=words):
            ExportSettings(**wishes)  # type: ignore[arg-type]

    return check
