"""Ten seconds of training from a configuration file, and what it says about a bad one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from jde.cli import run

CONFIG = """
model: {preset: jde-nano, input_size: [96, 64]}
data:
  workers: 0
  sources: [{kind: scenes, length: 8}]
loss: {assign_best: true}
training:
  epochs: 6
  batch_size: 4
  optimiser: adamw
  learning_rate: 2e-3
  warmup_steps: 2
  schedule: cosine
  device: cpu
  log_steps: 1
  trackers: []
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_short_training_lowers_the_loss(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert run(["train", str(config), "--output", str(output)]) == 0
    lines = (output / "log.jsonl").read_text().splitlines()
    totals = [json.loads(line)["total"] for line in lines]
    assert len(totals) == 12
    assert sum(totals[-4:]) < 0.8 * sum(totals[:4])
    named = [Path(line.split(maxsplit=1)[1]) for line in capsys.readouterr().out.splitlines()[1:]]
    assert named == [output / name for name in ("weights.safetensors", "log.jsonl", "losses.png")]
    assert all(path.is_file() for path in named)
    facts = json.loads((output / "run.json").read_text())
    assert facts["config"]["training"]["learning_rate"] == 0.002
    assert facts["identities"] > 0


def test_a_batch_larger_than_the_set_is_one_smaller_step_and_said(
    config: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    large = ["--training.batch_size", "100", "--training.epochs", "2"]
    assert run(["train", str(config), "--output", str(tmp_path / "out"), *large]) == 0
    assert "8 pictures don't fill one step of 100: an epoch is one smaller step" in caplog.text
    lines = (tmp_path / "out" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--training.epoch", "3"], "unknown key training.epoch; did you mean 'epochs'?"),
        (["--trainin.epochs", "3"], "unknown key trainin; did you mean 'training'?"),
        (["--model", "jde-nan"], "no model called 'jde-nan'; did you mean 'jde-nano'?"),
        (["--model.input_size", "100", "64"], "the nearest is 96x64"),
        (["--training.optimiser", "sdg"], "did you mean 'sgd'?"),
        (["--training.epochs", "many"], "training.epochs must be of type int"),
        (["--training.accumulate", "3"], "batch_size 4 can't be split into 3 equal parts"),
        (["--data.sources.0.length", "0"], "the sources hold no picture"),
        (["--data.views", "3"], "3 equal parts (1 processes, accumulate 1, views 3)"),
        (["--data.views", "0"], "views must be at least 1, got 0"),
        (["--loss.views", "1"], "set data.views to 2"),
        (["--loss.triplet", "-1"], "loss: triplet must not be negative"),
        (["--data.sources.3.length", "5"], "3 is not one of the entries 0 to 0"),
        (["--training.initialise", "missing.pt"], "missing.pt"),
    ],
)
def test_bad_configurations_are_one_line_and_exit_code_2(
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert run(["train", str(config), "--output", str(tmp_path / "out"), *arguments]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_folder_with_a_run_is_not_overwritten(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "step-00000001.safetensors").write_bytes(b"not one")
    arguments = ["train", str(config), "--output", str(tmp_path / "out")]
    assert run(arguments) == 2
    assert "--resume" in capsys.readouterr().err
    assert run([*arguments, "--resume"]) == 2
    assert "step-00000001.safetensors: no checkpoint" in capsys.readouterr().err


def test_an_unreadable_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("model: [")
    assert run(["train", str(path)]) == 2
    assert f"{path}: is no YAML" in capsys.readouterr().err
