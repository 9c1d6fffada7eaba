import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_network import tiny_network

from jde.engines.aotinductor_runtime import build_here
from jde.engines.compiled_package import (
    Build,
    PackageNotes,
    is_package,
    read_notes,
    write_notes,
)
from jde.engines.exported_file import open_export, recognise_export
from jde.engines.model_card import ModelCard
from jde.structures.errors import InputError

HERE = Build(device="cpu", machine="x86_64", instructions="AVX2", torch="2.13")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return an archive as PyTorch writes them, with something else in place of the code."""
    path = tmp_path / "street.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("street/data/aotinductor/model/code.so", b"no code")
    return path


@pytest.fixture
def notes() -> PackageNotes:
    return PackageNotes(
        card=ModelCard(config=tiny_network().config, precision="bfloat16"),
        names=("box_deltas_32", "objectness_32"),
        build=HERE,
        constants={"embedding_bias_32": np.arange(3, dtype=np.float32)},
    )


def test_notes_are_read_as_they_were_written(package: Path, notes: PackageNotes) -> None:
    write_notes(package, notes)
    found = read_notes(package)
    assert (found.card, found.names, found.build) == (notes.card, notes.names, notes.build)
    np.testing.assert_array_equal(found.constants["embedding_bias_32"], [0, 1, 2])
    assert recognise_export(package) == "aotinductor"


def test_other_archives_are_no_packages(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/data.pkl", b"")
    assert not is_package(path)
    assert recognise_export(path) is None


def test_packages_of_others_are_refused(package: Path) -> None:
    with pytest.raises(InputError, match=r"street\.pt2: a network that 'jde export' didn't write"):
        read_notes(package)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"machine": "aarch64"}, "compiled for aarch64, this is x86_64"),
        ({"torch": "2.9"}, "compiled by torch 2.9, this is 2.13"),
        ({"instructions": "AVX512"}, "compiled for AVX512, this processor has AVX2"),
        ({"instructions": "SVE256"}, "compiled for SVE256, this processor has AVX2"),
        ({"instructions": "DEFAULT"}, None),
        ({"instructions": "AVX512", "device": "cuda"}, None),
        ({}, None),
    ],
)
def test_code_runs_only_where_the_processor_has_its_instructions(
    change: dict[str, str], words: str | None
) -> None:
    assert replace(HERE, **change).obstacle(HERE) == words


def test_a_package_for_another_machine_is_refused_before_its_code_is_loaded(
    package: Path, notes: PackageNotes
) -> None:
    write_notes(package, replace(notes, build=replace(build_here("cpu"), torch="1.0")))
    with pytest.raises(InputError, match=r"compiled by torch 1\.0, .*export it again here"):
        open_export(package)
    with pytest.raises(InputError, match=r"compiled for cpu, not 'cuda:1'.*--device cuda"):
        open_export(package, device="cuda:1")
