"""Where the numbers of a run are shown besides its own log: TensorBoard, W&B, MLflow."""

import logging
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from jde.structures.errors import InputError, MissingExtraError

logger = logging.getLogger(__name__)

DEFAULT = "tensorboard"
PROJECT = "jde"
OWN_ERRORS = {"mlflow.exceptions": "MlflowException", "wandb.errors": "Error"}
"""Modules of boards with the name of what they raise where a server is away."""


def available_boards(names: tuple[str, ...]) -> list[str]:
    """Return the boards whose packages are installed.

    TensorBoard, which every run asks for, is left out with a warning.

    Raises:
        InputError: Another one is asked for and absent.
    """
    found = []
    for name in names:
        if find_spec(name):
            found.append(name)
        elif name == DEFAULT:
            logger.warning("no TensorBoard log: %s", MissingExtraError(name, "train", "it"))
        else:
            raise InputError(f"training.trackers: {name} is not installed: pip install {name}")
    return found


def open_boards(accelerator: Accelerator, config: Mapping[str, Any], step: int) -> None:
    """Start the boards of an accelerator that goes on from `step`; later entries are dropped."""
    boards = accelerator.log_with
    if not boards:
        return
    is_told = any(str(board) != DEFAULT for board in boards)
    folder = accelerator.logging_dir
    accelerator.init_trackers(
        PROJECT,
        config=dict(flatten(config)) if is_told else None,
        init_kwargs={DEFAULT: {"purge_step": step or None}, "wandb": {"dir": folder}},
    )


def board_errors() -> tuple[type[Exception], ...]:
    """Return what the boards in use raise where they can't write or reach their server."""
    own = [
        getattr(sys.modules[module], name)
        for module, name in OWN_ERRORS.items()
        if module in sys.modules
    ]
    return (OSError, *own)


def board_name(name: str) -> str:
    """Return the name of a number as every board takes it: MLflow refuses @."""
    return name.replace("@", " at ")


def flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested mappings by their dotted names, plain enough for any board."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            plain = isinstance(value, int | float | str)
            yield f"{prefix}{key}", value if plain else str(value)


def board_folder(output: Path) -> Path:
    """Return where a run keeps the files of its boards."""
    return output / "boards"
