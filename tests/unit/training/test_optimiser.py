from typing import Any

import pytest
import torch

from jde.losses.criterion import JDECriterion
from jde.model.builders import build_network
from jde.model.presets import find_preset
from jde.training.config import TrainingConfig
from jde.training.optimiser import build_optimiser, parameter_groups, set_learning_rate
from jde.training.task import TrainingTask, freeze_norm
from jde.training.weight_average import WeightAverage


@pytest.fixture(scope="module")
def task() -> TrainingTask:
    model = find_preset("jde-nano", size=(64, 64))
    criterion = JDECriterion(model.anchors, model.embedding_dim, 4)
    return TrainingTask(build_network(model), criterion)


def rules(task: TrainingTask, kind: Any) -> dict[str, tuple[float, float]]:
    """Return weight decay and rate factor of each parameter by name."""
    names = {id(parameter): name for name, parameter in task.named_parameters()}
    return {
        names[id(parameter)]: (group["weight_decay"], group["rate_factor"])
        for group in parameter_groups(task, TrainingConfig(parameter_groups=kind))
        for parameter in group["params"]
    }


def test_the_authors_decay_everything(task: TrainingTask) -> None:
    found = rules(task, "plain")
    assert len(found) == len(list(task.parameters()))
    assert set(found.values()) == {(1e-4, 1.0)}


def test_paddle_spares_normalisation_and_biases(task: TrainingTask) -> None:
    found = rules(task, "paddle")
    assert found["criterion.classifier.bias"] == (0.0, 2.0)
    assert found["criterion.classifier.weight"] == (1e-4, 1.0)
    assert found["criterion.box_weight"] == (1e-4, 1.0)
    assert found["network.heads.0.detection.bias"] == (0.0, 1.0)
    norms = [
        f"{name}.{part}"
        for name, module in task.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d)
        for part in ("weight", "bias")
    ]
    assert norms
    assert {found[name] for name in norms} == {(0.0, 1.0)}


def test_kernels_alone_decay(task: TrainingTask) -> None:
    decayed = {name for name, (decay, _) in rules(task, "kernels").items() if decay}
    parameters = dict(task.named_parameters())
    assert decayed == {name for name, one in parameters.items() if one.ndim > 1}


def test_each_group_gets_its_share_of_the_rate(task: TrainingTask) -> None:
    optimiser = build_optimiser(task, TrainingConfig(parameter_groups="paddle"))
    set_learning_rate(optimiser, 0.5)
    rates = {group["rate_factor"]: group["lr"] for group in optimiser.param_groups}
    assert rates == {1.0: 0.5, 2.0: 1.0}


def test_frozen_normalisation_is_not_optimised() -> None:
    network = build_network(find_preset("jde-nano", size=(64, 64)))
    freeze_norm(network)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert not module.weight.requires_grad
            assert not module.bias.requires_grad


def test_average_follows_slowly_and_takes_statistics_over() -> None:
    network = build_network(find_preset("jde-nano", size=(64, 64)))
    average = WeightAverage(network, 0.9)
    start = [parameter.clone() for parameter in network.parameters()]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
        for name, buffer in network.named_buffers():
            if name.endswith("running_mean"):
                buffer.fill_(7)
    average.update(network, 1000)
    for mine, before in zip(average.network.parameters(), start, strict=True):
        torch.testing.assert_close(mine, before + 0.1)
    statistics = dict(average.network.named_buffers())
    assert all((statistics[n] == 7).all() for n in statistics if n.endswith("running_mean"))
