"""What the trainer does with scores: the best weights, early stopping, resuming."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from tests import full_disk
from tests.unit.training.drawn_feed import IDENTITIES, SIZE, DrawnFeed

from jde.losses.criterion import JDECriterion
from jde.model.builders import build_network
from jde.model.network import JDENet
from jde.model.presets import find_preset
from jde.tracking.config import TrackerConfig
from jde.training.config import TrainingConfig
from jde.training.evaluation_config import EvaluationConfig
from jde.training.journal import Journal, plot_scores
from jde.training.judge import Figures, Judge
from jde.training.trainer import Trainer
from jde.weights.native import read_network


@dataclass(frozen=True, slots=True)
class ScriptedJudge(Judge):
    """Gives the scores of a list, one an epoch, and remembers what it saw."""

    script: tuple[float, ...] = ()
    seen: list[torch.Tensor] = field(default_factory=list)

    def score(self, network: JDENet) -> Figures:
        value = self.script[len(self.seen)]
        self.seen.append(first_kernel(network))
        return {"MOTA": value, "IDF1": 1 - value}


def first_kernel(network: JDENet) -> torch.Tensor:
    return next(network.parameters()).detach().clone()


def judge(*script: float, seen: int = 0, **entries: Any) -> ScriptedJudge:
    config = EvaluationConfig(sequences=("street",), **entries)
    before = [torch.zeros(0)] * seen
    return ScriptedJudge(config, TrackerConfig(), (), None, "cpu", script=script, seen=before)


def trainer(output: Path, epochs: int, **recipe: Any) -> Trainer:
    torch.manual_seed(0)
    model = find_preset("jde-nano", size=SIZE)
    defaults: dict[str, Any] = {"batch_size": 2, "warmup_steps": 0, "device": "cpu", "trackers": ()}
    criterion = JDECriterion(model.anchors, model.embedding_dim, IDENTITIES)
    config = TrainingConfig(epochs=epochs, learning_rate=1e-3, **(defaults | recipe))
    output.mkdir(exist_ok=True)
    return Trainer(build_network(model), criterion, DrawnFeed(length=1), config, output)


def entries(output: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [entry for entry in found if "scores" in entry]


def test_the_best_averaged_weights_are_kept(tmp_path: Path) -> None:
    judging = judge(0.1, 0.5, 0.3)
    outcome = trainer(tmp_path, 3, ema=0.5).train(judging)
    best = read_network(tmp_path / "best.safetensors")
    assert torch.equal(first_kernel(best), judging.seen[1])
    assert outcome.position.best == 0.5
    assert outcome.position.stale == 1
    assert [entry["best"] for entry in entries(tmp_path)] == [True, True, False]
    assert [entry["scores"]["IDF1"] for entry in entries(tmp_path)] == [0.9, 0.5, 0.7]
    assert {entry["trained_on"] for entry in entries(tmp_path)} == {False}
    assert (tmp_path / "metrics.png").exists()


def test_scores_are_drawn(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log.jsonl")
    for step, mota in ((4, 0.1), (8, 0.3)):
        scores = {"MOTA": mota, "IDF1": 0.2}
        journal.write({"step": step, "epoch": step // 4, "scores": scores, "trained_on": False})
    plot_scores(journal, tmp_path / "metrics.png")
    assert (tmp_path / "metrics.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_a_better_score_ends_early_and_stays_ended(tmp_path: Path) -> None:
    outcome = trainer(tmp_path, 9).train(judge(0.4, 0.2, 0.3, patience=2))
    assert outcome.reason == "no better score in 2 evaluations"
    assert outcome.position.epoch == 3
    assert outcome.weights is not None
    again = trainer(tmp_path, 9)
    assert again.resume()
    assert again.train(judge(patience=2)).position == outcome.position


def test_a_resumed_run_remembers_the_best_score(tmp_path: Path) -> None:
    trainer(tmp_path, 2).train(judge(0.4, 0.2))
    best = (tmp_path / "best.safetensors").read_bytes()
    second = trainer(tmp_path, 3)
    assert second.resume()
    outcome = second.train(judge(0.4, 0.2, 0.3, seen=2))
    assert (outcome.position.best, outcome.position.stale) == (0.4, 2)
    assert (tmp_path / "best.safetensors").read_bytes() == best
    assert [entry["epoch"] for entry in entries(tmp_path)] == [0, 1, 2]


def test_a_score_lost_with_its_checkpoint_is_taken_again_and_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise MemoryError

    first = trainer(tmp_path, 2, checkpoint_minutes=0.0)
    with monkeypatch.context() as once:
        once.setattr("jde.training.trainer.plot_scores", die)
        with pytest.raises(MemoryError):
            first.train(judge(0.5))
    assert len(entries(tmp_path)) == 1
    second = trainer(tmp_path, 2)
    assert second.resume()
    second.train(judge(0.5, 0.6))
    assert [entry["epoch"] for entry in entries(tmp_path)] == [0, 1]


@pytest.mark.usefixtures("disk")
def test_best_weights_that_find_no_room_do_not_count(tmp_path: Path) -> None:
    judging = judge(0.5, 0.4, 0.3)
    run = trainer(tmp_path, 3)

    def fill_then_empty(epoch: int, index: int) -> None:
        del index
        (full_disk.empty if epoch else full_disk.fill)()

    run.feed = DrawnFeed(length=1, disturb=fill_then_empty)
    assert run.train(judging).position.best == 0.4
    best = read_network(tmp_path / "best.safetensors")
    assert torch.equal(first_kernel(best), judging.seen[1])
