"""Which device a run asks for, whether it is there, and how Accelerate is told of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from accelerate import Accelerator, InitProcessGroupKwargs
from accelerate.utils import ProjectConfiguration, is_npu_available, patch_environment

from jde.structures.errors import InputError
from jde.training.boards import available_boards, board_folder
from jde.training.config import TrainingConfig

PROCESSES, DEVICE = "WORLD_SIZE", "ACCELERATE_TORCH_DEVICE"
"""What launchers say to every process, and what Accelerate takes for its device."""

CARDS = ("cuda", "xpu", "npu")
"""Kinds of which a machine may hold several, told apart by a number from 0."""

PATIENCE = timedelta(hours=6)
"""How long processes wait for the one that scores the network."""


def make_accelerator(config: TrainingConfig, output: Path) -> Accelerator:
    """Return device, processes, arithmetic and boards as the recipe and the launcher say.

    Raises:
        InputError: The device isn't here, or can't do what the recipe says.
    """
    with asked_for(config):
        accelerator = Accelerator(
            cpu=config.device == "cpu",
            mixed_precision=config.precision,
            log_with=available_boards(config.trackers) or None,
            project_config=ProjectConfiguration(
                project_dir=str(output), logging_dir=str(board_folder(output))
            ),
            kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
        )
    check_device(config, accelerator.device)
    return accelerator


@contextmanager
def asked_for(config: TrainingConfig) -> Iterator[None]:
    """Let Accelerate, started within, take the device of a recipe.

    Raises:
        InputError: It isn't there, or is one card for several processes.
    """
    kind, _, number = config.device.partition(":")
    if kind in {"auto", "cpu"}:
        yield
        return
    processes = int(os.environ.get(PROCESSES, "1"))
    if number and processes > 1:
        raise InputError(
            f"training.device {config.device} is one card, but {processes} processes were "
            f"launched: say {kind}, and which cards by the launcher, such as "
            "accelerate launch --gpu_ids 1,3"
        )
    here = devices_here()
    if config.device not in here:
        raise InputError(
            f"training.device {config.device}: PyTorch {torch.__version__} finds "
            f"{', '.join(here)} here; take one of these or auto, or install a PyTorch for it"
        )
    if kind not in CARDS or processes > 1:  # A launcher gives each process a card of its own.
        yield
        return
    if number:
        torch.get_device_module(kind).set_device(int(number))
    with patch_environment(**{DEVICE: config.device}):
        yield


def devices_here() -> list[str]:
    """Return what `training.device` may say on this machine besides `auto`."""
    is_npu_available()  # Makes PyTorch know the NPU where its package is installed.
    found = ["cpu"]
    for kind in CARDS:
        module = getattr(torch, kind, None)
        if module is not None and module.is_available():
            found += [kind, *(f"{kind}:{number}" for number in range(module.device_count()))]
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def check_device(config: TrainingConfig, device: torch.device) -> None:
    """Refuse what Accelerate took where the recipe says another device or can't run on it.

    Raises:
        InputError: The message says what to change.
    """
    wanted = config.device.partition(":")[0]
    if wanted not in {"auto", device.type}:
        raise InputError(
            f"training.device {config.device}: the launcher took {device.type}; give it and the "
            "configuration the same, or leave training.device at auto"
        )
    if config.precision == "fp16" and device.type == "cpu":
        raise InputError(
            "training.precision fp16: a CPU trains as if it weren't there; take bf16, or 'no' for "
            "32 bits"
        )
