import pytest

from jde.structures.errors import InputError
from jde.training import boards


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "find_spec", lambda name: name == "mlflow" or None)


def test_without_tensorboard_a_run_warns_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    assert boards.available_boards(("tensorboard", "mlflow")) == ["mlflow"]
    assert "pip install 'jde[train]'" in caplog.text


def test_another_board_that_is_missing_ends_the_run() -> None:
    with pytest.raises(InputError, match="wandb is not installed: pip install wandb"):
        boards.available_boards(("wandb",))


def test_boards_get_a_flat_configuration() -> None:
    nested = {"training": {"epochs": 3, "milestones": (0.5,)}, "output": "run"}
    assert dict(boards.flatten(nested)) == {
        "training.epochs": 3,
        "training.milestones": "(0.5,)",
        "output": "run",
    }


def test_names_hold_only_what_mlflow_takes() -> None:
    assert boards.board_name("TPR@FAR0.1") == "TPR at FAR0.1"
    assert boards.board_name("MOTA") == "MOTA"
