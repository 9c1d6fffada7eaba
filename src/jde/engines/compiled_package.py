"""What a compiled package (.pt2) holds beside its machine code, and where. Needs no torch."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from jde.engines.model_card import ModelCard
from jde.structures.errors import InputError

CODE = "/data/aotinductor/"
"""Folder of the machine code in a package of `torch.export`."""

CARD, CONSTANTS = "jde/card.json", "jde/constants.safetensors"
"""Where our entries lie, below the folder that all entries of a package share."""

LEVELS = ("DEFAULT", "AVX2", "AVX512")
"""Vector instructions of x86 processors as PyTorch calls them, each including those before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """What the machine code was compiled for.

    Attributes:
        device: `cpu` or `cuda`.
        machine: Family of the processor, such as `x86_64`.
        instructions: Its vector instructions, as PyTorch calls them.
        torch: Version of PyTorch, major and minor.
    """

    device: str
    machine: str
    instructions: str
    torch: str

    def obstacle(self, here: "Build") -> str | None:
        """Return why the code can't run on another machine, or None where it can."""
        if self.machine != here.machine:
            return f"compiled for {self.machine}, this is {here.machine}"
        if self.torch != here.torch:
            return f"compiled by torch {self.torch}, this is {here.torch}"
        if self.device != "cpu" or self.instructions == here.instructions:
            return None
        known = {self.instructions, here.instructions} <= set(LEVELS)
        if known and LEVELS.index(self.instructions) < LEVELS.index(here.instructions):
            return None
        return f"compiled for {self.instructions}, this processor has {here.instructions}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageNotes:
    """Our entries of a package.

    Attributes:
        card: What the network is.
        names: Of the outputs, in order.
        build: What the code was compiled for.
        constants: Outputs that don't depend on the pictures.
    """

    card: ModelCard
    names: tuple[str, ...]
    build: Build
    constants: Mapping[str, np.ndarray]


def is_package(path: Path) -> bool:
    """Return whether a file is an archive with machine code of PyTorch."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(CODE in name for name in archive.namelist())


def write_notes(path: Path, notes: PackageNotes) -> None:
    """Add our entries to a package."""
    entries = notes.card.to_entries() | {
        "outputs_in_order": json.dumps(notes.names),
        "device": notes.build.device,
        "machine": notes.build.machine,
        "instructions": notes.build.instructions,
        "torch": notes.build.torch,
    }
    with zipfile.ZipFile(path, "a") as archive:
        root = archive.namelist()[0].partition("/")[0]
        archive.writestr(f"{root}/{CARD}", json.dumps(entries, indent=2))
        archive.writestr(f"{root}/{CONSTANTS}", save(dict(notes.constants)))


def read_notes(path: Path) -> PackageNotes:
    """Return our entries of a package; none of its code runs.

    Raises:
        InputError: `jde export` didn't write it, or it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        root = archive.namelist()[0].partition("/")[0]
        if f"{root}/{CARD}" not in archive.namelist():
            ModelCard.from_entries({}, str(path))
        try:
            entries = json.loads(archive.read(f"{root}/{CARD}"))
            return PackageNotes(
                card=ModelCard.from_entries(entries, str(path)),
                names=tuple(json.loads(entries["outputs_in_order"])),
                build=Build(**{name: entries[name] for name in Build.__slots__}),
                constants=load(archive.read(f"{root}/{CONSTANTS}")),
            )
        except (KeyError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: damaged: {error}; export it again") from error
