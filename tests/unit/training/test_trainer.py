import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests import full_disk
from tests.unit.training.drawn_feed import IDENTITIES, SIZE, DrawnFeed

from jde.losses.config import LossConfig
from jde.losses.criterion import JDECriterion
from jde.model.builders import build_network
from jde.model.presets import find_preset
from jde.structures.errors import InputError
from jde.training.config import TrainingConfig
from jde.training.journal import Journal
from jde.training.trainer import Trainer
from jde.weights.native import read_network


def trainer(
    output: Path, feed: DrawnFeed | None = None, loss: LossConfig | None = None, **recipe: Any
) -> Trainer:
    torch.manual_seed(0)
    model = find_preset("jde-nano", size=SIZE)
    defaults: dict[str, Any] = {
        "epochs": 2,
        "batch_size": 2,
        "warmup_steps": 1,
        "device": "cpu",
        "log_steps": 1,
        "trackers": (),
    }
    config = TrainingConfig(**(defaults | recipe))
    criterion = JDECriterion(model.anchors, model.embedding_dim, IDENTITIES, loss)
    output.mkdir(exist_ok=True)
    return Trainer(build_network(model), criterion, feed or DrawnFeed(), config, output)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def same_weights(first: Path, second: Path) -> bool:
    one, other = load_file(first), load_file(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("plots")
def test_a_run_leaves_weights_log_plot_and_checkpoint(tmp_path: Path) -> None:
    outcome = trainer(tmp_path).train()
    assert outcome.reason == "all epochs done"
    assert outcome.weights is not None
    assert read_network(outcome.weights).config.architecture == "nano"
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [1, 2, 3, 4]
    assert {"total", "box", "objectness", "identity", "learning_rate"} <= entries[0].keys()
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] != []


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"optimiser": "adamw", "ema": 0.9, "learning_rate": 1e-3},
        {"loss": LossConfig(triplet=1.0, circle=0.1)},
    ],
)
def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path, recipe: dict[str, Any]) -> None:
    whole = trainer(tmp_path / "whole", **recipe).train()

    def stop(epoch: int, index: int) -> None:
        if (epoch, index) == (1, 0):
            signal.raise_signal(signal.SIGTERM)

    stopped = trainer(tmp_path / "parts", DrawnFeed(disturb=stop), **recipe).train()
    assert stopped.reason == "stopped by SIGTERM"
    assert stopped.weights is None
    assert stopped.position.total == 3
    second = trainer(tmp_path / "parts", **recipe)
    assert second.resume()
    resumed = second.train()
    assert whole.weights is not None
    assert resumed.weights is not None
    assert same_weights(whole.weights, resumed.weights)
    logs = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("whole", "parts")
    ]
    assert [e["total"] for e in logs[0]] == [e["total"] for e in logs[1]]


def test_handlers_of_signals_are_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    trainer(tmp_path, epochs=1).train()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_time_limit_ends_with_weights_and_a_line_of_the_log(tmp_path: Path) -> None:
    outcome = trainer(tmp_path, max_minutes=1e-6, log_steps=20).train()
    assert outcome.reason == "time limit reached"
    assert outcome.position.total == 1
    assert outcome.weights is not None
    assert outcome.weights.exists()
    assert [entry["step"] for entry in Journal(tmp_path / "log.jsonl").read()] == [1]


def test_a_loss_that_is_no_number_names_the_pictures(tmp_path: Path) -> None:
    run = trainer(tmp_path, DrawnFeed(box=float("nan")))
    before = {name: tensor.clone() for name, tensor in run.network.named_parameters()}
    with torch.no_grad():
        run.criterion.box_weight.fill_(float("nan"))
    with pytest.raises(InputError, match=r"step 0 .* picture-0-0-0, picture-0-0-1, or lower"):
        run.train()
    after = dict(run.network.named_parameters())
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_every_epoch_leaves_a_line_however_short(tmp_path: Path) -> None:
    trainer(tmp_path, DrawnFeed(length=3), log_steps=2).train()
    assert [entry["step"] for entry in Journal(tmp_path / "log.jsonl").read()] == [2, 3, 4, 6]


def test_accumulated_parts_make_one_step(tmp_path: Path) -> None:
    run = trainer(tmp_path, DrawnFeed(length=4), batch_size=4, accumulate=2, epochs=1)
    assert run.train().position.total == 2


def test_too_few_pictures_for_a_step_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="batch_size smaller"):
        trainer(tmp_path, DrawnFeed(length=1), accumulate=2)


def test_only_the_latest_checkpoints_are_kept(tmp_path: Path) -> None:
    trainer(tmp_path, checkpoint_minutes=0.0, keep_checkpoints=2).train()
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-00000003.safetensors", "step-00000004.safetensors"]


@pytest.mark.usefixtures("disk")
def test_a_full_disk_costs_checkpoints_and_lines_but_not_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fill_then_empty(epoch: int, index: int) -> None:
        if index == 0:
            (full_disk.empty if epoch else full_disk.fill)()

    outcome = trainer(tmp_path, DrawnFeed(disturb=fill_then_empty), checkpoint_minutes=0.0).train()
    assert outcome.weights is not None
    lost = [record.message for record in caplog.records if "not written" in record.message]
    assert {message.split(" is not written")[0] for message in lost} == {
        "a checkpoint",
        "a line of the log",
    }
    assert any(f"{tmp_path}/checkpoints/step-00000001.safetensors: " in one for one in lost)
    steps = [entry["step"] for entry in Journal(tmp_path / "log.jsonl").read()]
    assert steps == [3, 4]
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-00000003.safetensors", "step-00000004.safetensors"]


@pytest.mark.usefixtures("disk")
def test_a_disk_full_at_the_end_keeps_what_a_resumed_run_needs(tmp_path: Path) -> None:
    def fill(epoch: int, index: int) -> None:
        if (epoch, index) == (1, 1):
            full_disk.fill()

    said = rf"^{tmp_path}/weights\.safetensors: can't be written .*; make room, then go on with"
    with pytest.raises(InputError, match=said):
        trainer(tmp_path, DrawnFeed(disturb=fill)).train()
    full_disk.empty()
    assert not list(tmp_path.glob("**/*.draft"))
    again = trainer(tmp_path)
    assert again.resume()
    assert again.position.total == 2
    outcome = again.train()
    assert outcome.position.total == 4
    assert outcome.weights is not None


class AwayError(Exception):
    """Stands for what MLflow raises where its server is away."""


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), AwayError("no answer")])
def test_boards_that_fail_cost_a_warning(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    mlflow = ModuleType("mlflow.exceptions")
    monkeypatch.setattr(mlflow, "MlflowException", AwayError, raising=False)
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", mlflow)
    run = trainer(tmp_path, DrawnFeed(length=1), epochs=1)
    monkeypatch.setattr(run.accelerator, "log", fail)
    assert run.train().weights is not None
    assert f"what boards show is not written: {error}" in caplog.text


def test_a_checkpoint_of_another_set_of_identities_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=1).train()
    other = trainer(tmp_path, epochs=1)
    other.learner.criterion.classifier = torch.nn.Linear(other.network.config.embedding_dim, 9)
    with pytest.raises(InputError, match="another network, optimiser or set of identities"):
        other.resume()


def test_frozen_norm_keeps_scale_and_shift_but_not_statistics(tmp_path: Path) -> None:
    run = trainer(tmp_path, frozen_norm=True, epochs=1)
    norm = next(m for m in run.network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    scale, mean = norm.weight.clone(), norm.running_mean
    assert mean is not None
    mean = mean.clone()
    run.train()
    assert torch.equal(norm.weight, scale)
    assert norm.running_mean is not None
    assert not torch.equal(norm.running_mean, mean)
