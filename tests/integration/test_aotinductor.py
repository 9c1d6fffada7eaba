"""A network compiled by PyTorch to a file that alone suffices."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_network import SIZE, tiny_network

from jde.engines.exported_file import open_export, recognise_export
from jde.engines.torch_engine import TorchEngine
from jde.export.exporting import ExportSettings, export_network
from jde.model.detector import Detector
from jde.model.network import JDENet
from jde.model.post_processing import PostProcessing
from jde.structures.errors import InputError
from jde.structures.frame import Image
from jde.weights.loading import load_detector

MIN_SCORE = 0.6

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++, which is not here"),
]


@pytest.fixture(scope="module")
def network() -> JDENet:
    return tiny_network()


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8) for _ in range(2)]


@pytest.fixture(scope="module")
def package(network: JDENet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "street.pt2"
    export_network(network, path, ExportSettings(format="aotinductor"))
    return path


def test_the_package_finds_what_the_network_finds(
    network: JDENet, package: Path, pictures: list[Image]
) -> None:
    assert recognise_export(package) == "aotinductor"
    settings = PostProcessing(min_score=MIN_SCORE)
    origin = Detector(TorchEngine(network, device="cpu"), network.config, settings)
    exported = load_detector(package, min_score=MIN_SCORE)
    assert isinstance(exported, Detector)
    assert exported.engine.name == "aotinductor cpu float32"
    for first, second in zip(origin.batch(pictures), exported.batch(pictures), strict=True):
        assert len(first) > 10
        np.testing.assert_allclose(second.boxes, first.boxes, atol=0.01)
        np.testing.assert_allclose(second.scores, first.scores, atol=1e-4)
        np.testing.assert_allclose(second.embeddings, first.embeddings, atol=1e-4)


def test_the_package_refuses_what_it_was_not_compiled_for(package: Path) -> None:
    with pytest.raises(InputError, match="only in the precision it was written in"):
        open_export(package, precision="bfloat16")
    with pytest.raises(InputError, match=r"128x96 only, not 64x64"):
        open_export(package, size=(64, 64))


def test_damaged_code_is_refused_in_one_line(package: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pt2"
    with zipfile.ZipFile(package) as whole, zipfile.ZipFile(damaged, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, b"no code" if name.endswith(".so") else whole.read(name))
    with pytest.raises(InputError, match=r"damaged\.pt2: PyTorch can't load it") as refusal:
        open_export(damaged)
    assert len(str(refusal.value).splitlines()) == 1


def test_without_a_compiler_the_message_names_one(network: JDENet, tmp_path: Path) -> None:
    from torch._inductor import config

    path = tmp_path / "street.pt2"
    with (
        config.patch({"cpp.cxx": ("no-such-compiler",)}),
        pytest.raises(InputError, match=r"needs a C\+\+ compiler.*install g\+\+"),
    ):
        export_network(network, path, ExportSettings(format="aotinductor"))
    assert not path.exists()
