"""Everything a run needs to go on, in one file that is either complete or absent.

Only safetensors and JSON: reading one runs no code.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from jde.formats.draft import writing
from jde.structures.errors import InputError
from jde.weights.native import save_tensors

logger = logging.getLogger(__name__)

POSITION_KEY, SCALARS_KEY = "jde.position", "jde.scalars"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run has come: finished epochs and, in the present one, finished steps.

    Attributes:
        epoch: Epochs that are complete.
        step: Optimiser steps of the present epoch that are complete.
        total: Optimiser steps of all epochs.
        minutes: Time spent.
        best: Best score so far, None before the first evaluation.
        stale: Evaluations since the best one.
    """

    epoch: int = 0
    step: int = 0
    total: int = 0
    minutes: float = 0.0
    best: float | None = None
    stale: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a checkpoint holds.

    Attributes:
        position: How far the run has come.
        tensors: Weights, momentum, averages and states of random generators, by name.
        scalars: The numbers of the optimiser that are no tensors.
    """

    position: Position
    tensors: dict[str, Tensor]
    scalars: dict[str, Any]


def write_snapshot(folder: Path, snapshot: Snapshot, *, keep: int) -> Path:
    """Write a checkpoint, then remove all but the `keep` latest.

    Raises:
        OSError: It can't be written; those before it stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{snapshot.position.total:08d}.safetensors"
    draft = path.with_suffix(".draft")
    metadata = {
        POSITION_KEY: json.dumps(asdict(snapshot.position)),
        SCALARS_KEY: json.dumps(snapshot.scalars),
    }
    tensors = {name: tensor.contiguous() for name, tensor in snapshot.tensors.items()}
    with writing(path):
        try:
            save_tensors(draft, tensors, metadata)
            draft.chmod(0o644)
            settle(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    for old in find_snapshots(folder)[:-keep]:
        old.unlink()
    return path


def settle(draft: Path, path: Path) -> None:
    """Let `draft` take the place of `path` once the disk really holds it."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    if os.name == "posix":
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def find_snapshots(folder: Path) -> list[Path]:
    """Return the complete checkpoints of a folder, oldest first."""
    return sorted(folder.glob("step-*.safetensors"))


def read_snapshot(path: Path) -> Snapshot:
    """Return what a checkpoint holds.

    Raises:
        InputError: The file is no checkpoint of a run or is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        position = Position(**json.loads(metadata[POSITION_KEY]))
        return Snapshot(position, tensors, json.loads(metadata[SCALARS_KEY]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: no checkpoint of a training run ({error}); "
            "remove it to go on from the one before"
        ) from error


def with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of tensors in main memory under names that start with `prefix`."""
    return {f"{prefix}.{name}": tensor.detach().cpu() for name, tensor in tensors.items()}


def without_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names start with `prefix`, without it."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }


def optimiser_state(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of an optimiser by name, and its other numbers."""
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, Any] = {}
    for index, values in optimiser.state_dict()["state"].items():
        for name, value in values.items():
            key = f"{index}.{name}"
            if isinstance(value, Tensor):
                tensors[key] = value.detach().cpu()
            elif value is not None:
                scalars[key] = value
    return tensors, scalars


def restore_optimiser(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor], scalars: Mapping[str, Any]
) -> None:
    """Give an optimiser over the same parameters the state that `optimiser_state` returned."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in {**tensors, **scalars}.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})
