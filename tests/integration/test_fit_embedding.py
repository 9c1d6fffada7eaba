"""`jde fit-embedding` as a user calls it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import jde
from jde.cli import run
from jde.data.scenes.scene import Scene

CONFIG = """
model: jde-nano
output: unused
data:
  sources: [{kind: scenes, length: 8, people: 4}]
  workers: 0
training: {batch_size: 4}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "pictures.yaml"
    path.write_text(CONFIG)
    return path


def call(target: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in its own process: like a training it keeps the memory that it frees."""
    command = [sys.executable, "-m", "jde", "fit-embedding", "jde-nano", str(target), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_boxes_stay_and_looks_change(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "fitted.safetensors"
    words = ["--config", str(config), "--batches", "3", "--points", "4"]
    done = call(target, *words)
    assert done.returncode == 0, done.stderr
    assert "embedding read at 4 points of a box" in done.stdout
    image = next(iter(Scene(seed=5, people=5).frames(1))).frame.image
    before, after = (
        jde.load_detector(weights, engine="torch", device="cpu") for weights in ("jde-nano", target)
    )
    assert after.config.appearance_points == 4
    assert (after.config.input_size, after.input_shape) == (before.input_size, before.input_shape)
    assert after.config.start_score == before.config.start_score
    old, new = before(image), after(image)
    assert len(old) > 0
    np.testing.assert_array_equal(new.boxes, old.boxes)
    np.testing.assert_array_equal(new.scores, old.scores)
    assert not np.allclose(new.embeddings, old.embeddings, atol=0.1)


@pytest.mark.parametrize(
    ("target", "words", "says"),
    [
        ("a.pt", [], "only .safetensors files can hold such an embedding"),
        ("a.safetensors", ["--batches", "0"], "points and batches must be 1 or more"),
    ],
)
def test_what_cannot_be_fitted_is_one_line(
    target: str,
    words: list[str],
    says: str,
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["jde-nano", str(tmp_path / target), "--config", str(config), *words]
    assert run(["fit-embedding", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / target).exists()


def test_a_missing_configuration_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["fit-embedding", "jde-nano", str(tmp_path / "a.safetensors")]
    assert run([*arguments, "--config", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err


def test_points_that_split_no_embedding_are_refused(config: Path, tmp_path: Path) -> None:
    done = call(tmp_path / "a.safetensors", "--config", str(config), "--points", "3")
    assert done.returncode == 2
    assert "appearance_points must be 0 or divide" in done.stderr
    assert not (tmp_path / "a.safetensors").exists()
