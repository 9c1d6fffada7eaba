from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from jde.training.config import TrainingConfig
from jde.training.task import TrainingTask

CLASSIFIER_BIAS_RATE = 2.0
"""How much faster than all others the classifier's bias learns in PaddleDetection."""

LOSS_WEIGHTS = ("box_weight", "objectness_weight", "identity_weight")
"""Names of the criterion's learned weights of the three tasks."""

ADAM_SECOND_BETA = 0.999


def build_optimiser(task: TrainingTask, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return the optimiser over everything of `task` that learns."""
    groups = list(parameter_groups(task, config))
    rate = config.learning_rate
    if config.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=rate, betas=(config.momentum, ADAM_SECOND_BETA))
    return torch.optim.SGD(groups, lr=rate, momentum=config.momentum)


def parameter_groups(task: TrainingTask, config: TrainingConfig) -> Iterator[dict[str, Any]]:
    """Yield parameters that share a weight decay and a `rate_factor`."""
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    norms = {
        id(parameter)
        for module in task.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)  # noqa: SLF001 (the only common base)
        for parameter in module.parameters(recurse=False)
    }
    for name, parameter in task.named_parameters():
        if parameter.requires_grad:
            spared = is_spared(name, parameter, is_norm=id(parameter) in norms, config=config)
            factor = rate_factor(name, config)
            groups.setdefault((spared, factor), []).append(parameter)
    for (spared, factor), parameters in groups.items():
        decay = 0.0 if spared else config.weight_decay
        yield {"params": parameters, "weight_decay": decay, "rate_factor": factor}


def rate_factor(name: str, config: TrainingConfig) -> float:
    """Return by how much faster than others a parameter of the task learns."""
    if ".backbone." in f".{name}":
        return config.backbone_rate
    if name.endswith(LOSS_WEIGHTS):
        return config.balance_rate
    is_fast = config.parameter_groups == "paddle" and name.endswith("classifier.bias")
    return CLASSIFIER_BIAS_RATE if is_fast else 1.0


def is_spared(name: str, parameter: nn.Parameter, *, is_norm: bool, config: TrainingConfig) -> bool:
    """Return whether the rules of the configuration let a parameter off weight decay."""
    if config.parameter_groups == "kernels":
        return parameter.ndim < 2  # noqa: PLR2004 (kernels and matrices have axes)
    if config.parameter_groups == "paddle":
        return is_norm or name.endswith(".bias")
    return False


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of `rate`."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["rate_factor"]
