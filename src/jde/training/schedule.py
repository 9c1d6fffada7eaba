import math

from jde.training.config import TrainingConfig

WARMUP_POWER = 4
"""The learning rate rises with the fourth power of the step."""

DROP = 0.1
"""What each milestone multiplies the learning rate by."""

COSINE_FLOOR = 0.01
"""Share of the learning rate at which the cosine ends."""


def learning_rate(config: TrainingConfig, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of an optimiser step, counted from 0.

    The warm-up never outlasts the first epoch, as in the authors' program; its last step
    then hands over to the full rate, which the authors' never reach in short epochs (B-ZD10).
    """
    warmup = min(config.warmup_steps, steps_per_epoch)
    rate, risen = config.learning_rate, step + config.warmup_start
    if risen < warmup:
        return rate * (risen / warmup) ** WARMUP_POWER
    if config.schedule == "cosine":
        last = max(config.epochs * steps_per_epoch - 1, warmup + 1)
        progress = min((step - warmup) / (last - warmup), 1.0)
        return rate * (COSINE_FLOOR + (1 - COSINE_FLOOR) * (1 + math.cos(math.pi * progress)) / 2)
    epoch = step // steps_per_epoch
    passed = sum(epoch >= int(share * config.epochs) for share in config.milestones)
    return rate * DROP**passed
