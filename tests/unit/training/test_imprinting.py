import itertools
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from tests.unit.training.drawn_feed import IDENTITIES, SIZE, DrawnFeed

from jde.losses.criterion import JDECriterion
from jde.model.builders import build_network
from jde.model.presets import find_preset
from jde.training.config import TrainingConfig
from jde.training.imprinting import imprint, known_embeddings
from jde.training.initialisation import starting_weights
from jde.training.task import TrainingTask
from jde.training.trainer import Trainer

UNSEEN = 1
"""Identities that no batch shows."""


def task() -> TrainingTask:
    torch.manual_seed(0)
    model = find_preset("jde-nano", size=SIZE)
    criterion = JDECriterion(model.anchors, model.embedding_dim, IDENTITIES + UNSEEN)
    return TrainingTask(build_network(model), criterion)


def test_each_identity_starts_from_its_mean_embedding() -> None:
    mine, feed = task(), DrawnFeed()
    before = mine.criterion.classifier.weight.detach().clone()
    statistics = {name: value.clone() for name, value in mine.network.named_buffers()}
    mine.eval()
    found: dict[int, list[torch.Tensor]] = {}
    with torch.no_grad():
        for batch in itertools.islice(feed.epoch(0), 2):
            outputs = mine.network(mine.to_unit(batch.images))
            for embeddings, identities in known_embeddings(mine.criterion, outputs, batch):
                for row, identity in zip(embeddings, identities.tolist(), strict=True):
                    found.setdefault(identity, []).append(row)
    mine.train()
    assert imprint(mine, feed, 2) == len(found) > 1
    after = mine.criterion.classifier.weight
    for identity, rows in found.items():
        torch.testing.assert_close(after[identity], F.normalize(torch.stack(rows).sum(0), dim=0))
    unseen = [row for row in range(len(after)) if row not in found]
    assert len(unseen) >= UNSEEN
    assert torch.equal(after[unseen], before[unseen])
    assert not mine.criterion.classifier.bias.any()
    assert mine.network.training
    for name, value in mine.network.named_buffers():
        assert torch.equal(value, statistics[name])


def test_a_fresh_run_imprints_and_a_resumed_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("jde.training.trainer.imprint", lambda *words: asked.append(words[-1]))
    recipe = TrainingConfig(
        epochs=1, batch_size=2, device="cpu", trackers=(), warmup_steps=1, imprint=3
    )
    parts = task()
    run = Trainer(parts.network, parts.criterion, DrawnFeed(), recipe, tmp_path)
    run.prepare_start()
    assert asked == [3]
    run.train()
    again = task()
    other = Trainer(again.network, again.criterion, DrawnFeed(), recipe, tmp_path)
    assert other.resume()
    assert asked == [3]


@pytest.mark.parametrize(
    ("given", "expected"), [("", ()), ("one", ("one",)), (("one", "two"), ("one", "two"))]
)
def test_recipes_start_from_none_one_or_several_files(
    given: str | tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert starting_weights(TrainingConfig(initialise=given)) == expected
