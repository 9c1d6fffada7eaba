import itertools

import pytest

from jde.training.config import TrainingConfig
from jde.training.schedule import learning_rate


def test_published_schedule() -> None:
    config, steps = TrainingConfig(), 1672
    assert learning_rate(config, 0, steps) == 0
    assert learning_rate(config, 500, steps) == pytest.approx(0.01 * 0.5**4)
    assert learning_rate(config, 1000, steps) == 0.01
    rates = [learning_rate(config, epoch * steps, steps) for epoch in (14, 15, 21, 22, 29)]
    assert rates == pytest.approx([0.01, 0.001, 0.001, 0.0001, 0.0001])


def test_warm_up_ends_with_the_first_epoch() -> None:
    config = TrainingConfig()
    assert learning_rate(config, 50, 100) == pytest.approx(0.01 * 0.5**4)
    assert learning_rate(config, 100, 100) == 0.01


def test_cosine_falls_from_the_full_rate_to_its_floor() -> None:
    config = TrainingConfig(schedule="cosine", warmup_steps=10, epochs=4)
    rates = [learning_rate(config, step, 50) for step in range(10, 200)]
    assert rates[0] == 0.01
    assert rates[-1] == pytest.approx(1e-4)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates))
