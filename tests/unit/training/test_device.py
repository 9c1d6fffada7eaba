from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import PartialState
from accelerate.state import AcceleratorState

from jde.structures.errors import InputError
from jde.training.config import TrainingConfig
from jde.training.device import check_device, devices_here, make_accelerator

CARDS = SimpleNamespace(is_available=lambda: True, device_count=lambda: 2, set_device=print)


@pytest.fixture
def _two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "xpu", CARDS)
    monkeypatch.setattr(torch, "get_device_module", lambda _: CARDS)


@pytest.fixture
def _fresh_state(monkeypatch: pytest.MonkeyPatch) -> None:
    for state in (PartialState, AcceleratorState):
        monkeypatch.setattr(state, "_shared_state", {})


def config(device: str = "auto", **recipe: str) -> TrainingConfig:
    return TrainingConfig(device=device, trackers=(), **recipe)  # type: ignore[arg-type]


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:first", "mps:0", "0", "cpu:1"])
def test_a_device_that_is_none_is_answered_with_the_real_ones(device: str) -> None:
    with pytest.raises(ValueError, match=r"auto, cpu, cuda, mps, xpu or npu, or .* cuda:1, got"):
        config(device)


@pytest.mark.usefixtures("_fresh_state")
def test_a_device_that_is_not_here_is_answered_with_those_that_are(tmp_path: Path) -> None:
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(InputError, match=rf"training.device {missing}: .* finds cpu"):
        make_accelerator(config(missing), tmp_path)


@pytest.mark.usefixtures("_two_cards", "_fresh_state")
def test_accelerate_takes_the_card_that_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert devices_here()[-3:] == ["xpu", "xpu:0", "xpu:1"]
    assert make_accelerator(config("xpu:1"), tmp_path).device == torch.device("xpu:1")
    assert capsys.readouterr().out == "1\n"  # It is PyTorch's own choice, too.


@pytest.mark.usefixtures("_two_cards", "_fresh_state")
def test_one_card_for_several_processes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="is one card, but 2 processes"):
        make_accelerator(config("xpu:1"), tmp_path)


def test_a_launcher_that_took_another_device_is_named() -> None:
    with pytest.raises(InputError, match=r"training\.device cuda: the launcher took cpu"):
        check_device(config("cuda"), torch.device("cpu"))


@pytest.mark.usefixtures("_fresh_state")
def test_fp16_on_a_cpu_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"fp16: a CPU .*; take bf16"):
        make_accelerator(config("cpu", precision="fp16"), tmp_path)
