"""`jde export --int8`: smaller files that find nearly the same people."""

from pathlib import Path

import pytest

from jde import cli
from jde.data.scenes.scene import Scene
from jde.engines.graph_engine import GraphEngine
from jde.engines.torch_engine import TorchEngine
from jde.export.parity import compare
from jde.imaging.picture_file import list_pictures, read_picture, write_picture
from jde.model.detector import Detector
from jde.structures.frame import Image
from jde.weights.loading import load_detector
from jde.weights.networks import load_network

SIZE = (320, 192)
SEED = 308
"""Of a street where all are seen that are about."""

FLOAT_BYTES = 4


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a few frames of a drawn street."""
    folder = tmp_path_factory.mktemp("street")
    for drawn in Scene(seed=SEED, size=(480, 288), people=6).frames(6):
        write_picture(folder / f"{drawn.frame.index:06d}.png", drawn.frame.image)
    return folder


@pytest.fixture(scope="module")
def pictures(street: Path) -> list[Image]:
    return [read_picture(path) for path in list_pictures(street)]


@pytest.mark.parametrize("name", ["8.onnx", "8.xml"])
def test_8_bits_find_nearly_the_same_people_in_a_smaller_file(
    name: str,
    street: Path,
    pictures: list[Image],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    package = {"8.onnx": "onnxruntime", "8.xml": "nncf"}[name]
    pytest.importorskip(package, reason=f"{package} writes this file: pip install jde[export]")
    path = tmp_path / name
    network = load_network("jde-nano", size=SIZE)
    origin = Detector(TorchEngine(network, device="cpu"), network.config)
    size = [str(side) for side in SIZE]
    folders = ["--calibration", str(street), "--pictures", str(street)]

    assert cli.run(["export", str(path), "--size", *size, "--int8", *folders]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: "), "standard output is for results"
    assert "pre-processing" not in caplog.text

    exported = load_detector(path)
    assert isinstance(exported.engine, GraphEngine)
    card = exported.engine.runtime.card
    assert (card.precision, card.config) == ("int8", network.config)
    assert exported.engine.name.endswith("int8")
    written = sum(each.stat().st_size for each in tmp_path.iterdir())
    assert written < 0.6 * FLOAT_BYTES * sum(each.numel() for each in network.parameters())
    parity = compare(origin, exported, pictures)
    assert parity.pairs >= 20
    assert parity.identical > 0.85
    assert parity.score_error[0] < 0.02
    assert parity.cosine[0] > 0.98
    assert parity.score_error[0] > 0, "8 bits round"
