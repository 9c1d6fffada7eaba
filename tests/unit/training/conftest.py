from collections.abc import Iterator

import pytest
from tests import full_disk


@pytest.fixture
def disk() -> Iterator[None]:
    """Make room again after a test that filled the disk."""
    yield
    full_disk.empty()


@pytest.fixture
def plots() -> None:
    """Ask for real plots, which take longer than the training of a test."""


@pytest.fixture(autouse=True)
def _no_plots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "plots" not in request.fixturenames:
        for name in ("plot_losses", "plot_scores"):
            monkeypatch.setattr(f"jde.training.trainer.{name}", lambda _, path: path.touch())
