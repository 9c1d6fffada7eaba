from pathlib import Path

import pytest

from jde.cli import run
from jde.model.detector import Detector
from jde.structures.errors import InputError
from jde.weights.loading import load_detector
from jde.weights.reading import read_weights
from jde.weights.running import load_whole_network

SIZE = (192, 96)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shipped weights with the wish to be fitted to the video."""
    path = tmp_path_factory.mktemp("weights") / "fitted.safetensors"
    wishes = ["--size", "192", "96", "--shape", "fitted", "--start-score", "0.8", "--half"]
    assert run(["convert", "jde-nano", str(path), *wishes]) == 0
    return path


def load(path: Path | str, **wishes: object) -> Detector:
    detector = load_detector(path, device="cpu", engine="torch", **wishes)  # type: ignore[arg-type]
    assert isinstance(detector, Detector)
    return detector


def test_the_command_stores_size_shape_and_score(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped, stored = load("jde-nano").config, read_weights(weights).config
    assert (stored.input_size, stored.input_shape, stored.start_score) == (SIZE, "fitted", 0.8)
    assert stored.anchors == shipped.anchors
    again, refused = tmp_path / "fixed.safetensors", tmp_path / "fitted.pt"
    assert run(["convert", str(weights), str(again), "--size", "96x64", "--shape", "fixed"]) == 0
    assert "nano at 96x64, trained" in capsys.readouterr().out
    config = read_weights(again).config
    assert (config.input_size, config.input_shape, config.start_score) == ((96, 64), "fixed", 0.8)
    assert run(["convert", str(weights), str(refused), "--shape", "fitted"]) == 2
    assert "only .safetensors files can hold a shape of the input" in capsys.readouterr().err


def test_a_given_size_is_exact_unless_its_shape_is_asked_for(weights: Path) -> None:
    assert load(weights).input_for((60, 120)) == (96, 192)
    assert load(weights, shape="fixed").input_for((60, 120)) == SIZE
    exact = load(weights, size=(128, 64))
    assert exact.input_for((60, 120)) == (128, 64)
    asked = load(weights, size=(128, 64), shape="fitted")
    assert (asked.input_size, asked.input_for((60, 120))) == ((128, 64), (64, 128))
    assert asked.config.anchors == exact.config.anchors
    with pytest.raises(InputError, match="shape must be one of auto, fixed, fitted"):
        load_detector(weights, shape="round")


def test_weights_that_say_nothing_are_fixed_until_asked(weights: Path) -> None:
    width, height = load("jde-nano", shape="fixed").input_size
    assert load("jde-nano", shape="fitted").input_for((height, width)) == (height, width)
    assert load_whole_network(str(weights), size=None).config.input_shape == "fixed"
