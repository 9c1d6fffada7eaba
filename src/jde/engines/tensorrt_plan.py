"""What a TensorRT file holds: the plan, constants beside it, and its card. Needs no TensorRT."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from jde.engines.model_card import ModelCard
from jde.structures.errors import InputError

KIND, PLAN = "tensorrt plan", "plan"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanFile:
    """Everything in a TensorRT file.

    Attributes:
        card: What the network is.
        version: Of the TensorRT that built the plan, which alone can run it.
        plan: The serialised engine.
        constants: Outputs that don't depend on the pictures.
    """

    card: ModelCard
    version: str
    plan: bytes
    constants: Mapping[str, np.ndarray]


def is_plan_file(path: Path) -> bool:
    """Return whether a file in the layout of safetensors holds a plan."""
    try:
        with safe_open(path, "np") as file:
            return (file.metadata() or {}).get("kind") == KIND
    except SafetensorError:
        return False


def write_plan_file(path: Path, content: PlanFile) -> None:
    """Write a file that alone suffices."""
    arrays = {**content.constants, PLAN: np.frombuffer(content.plan, np.uint8)}
    entries = content.card.to_entries() | {"kind": KIND, "tensorrt": content.version}
    save_file(arrays, path, entries)


def read_plan_file(path: Path) -> PlanFile:
    """Return the content of a file that `is_plan_file` knows.

    Raises:
        InputError: It is damaged.
    """
    with safe_open(path, "np") as file:
        entries = file.metadata()
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    if PLAN not in arrays:
        raise InputError(f"{path}: damaged: it holds no plan; export it again")
    plan = arrays.pop(PLAN).tobytes()
    card = ModelCard.from_entries(entries, str(path))
    return PlanFile(card=card, version=entries["tensorrt"], plan=plan, constants=arrays)
