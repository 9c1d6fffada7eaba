"""Thousands of damaged files: each gives tensors or one clear error, in bounded time and memory."""

import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import damaged_files
from tests.damaged_files import MUTATIONS, damage

from jde.structures.errors import InputError
from jde.weights import native
from jde.weights.reading import READERS, read_weights
from jde.weights.recognition import recognise
from jde.weights.weight_file import WeightFile

SECONDS = 5.0
GROWTH_KILOBYTES = 300_000


def read_everything(path: Path) -> int:
    """Read whatever a file holds; return the bytes of its tensors."""
    with WeightFile(path) as file:
        kind = recognise(file)
        if kind != "native":
            stored = READERS[kind][0](file)
            return sum(tensor.load().nbytes for tensor in stored.values())
    checkpoint = native.read_checkpoint(path)
    return sum(tensor.nbytes for tensor in checkpoint.network.values())


@pytest.mark.parametrize(
    "make",
    [
        lambda _: damaged_files.zhongdao_archive(),
        lambda _: damaged_files.zhongdao_legacy(),
        lambda _: damaged_files.paddle(2),
        lambda _: damaged_files.paddle(4),
        lambda _: damaged_files.paddle(5),
        damaged_files.mindspore,
        lambda _: damaged_files.native(),
    ],
    ids=["archive", "legacy", "paddle2", "paddle4", "paddle5", "mindspore", "native"],
)
def test_a_damaged_file_gives_tensors_or_one_error(
    tmp_path: Path, make: Callable[[Path], bytes]
) -> None:
    path = tmp_path / "weights"
    content = make(path)
    path.write_bytes(content)
    assert read_everything(path) > 500
    chance = random.Random(11)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    for _ in range(MUTATIONS):
        path.write_bytes(damage(content, chance))
        start = time.process_time()
        message = ""
        try:
            assert read_everything(path) <= 64 * max(1, path.stat().st_size)
        except InputError as error:
            message = str(error)
            refused += 1
        assert not message or (str(path) in message and "\n" not in message)
        assert time.process_time() - start < SECONDS
    assert refused > 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_KILOBYTES


@pytest.mark.parametrize("length", [0, 1, 3, 4, 7, 12, 16, 20, 64, 1000])
def test_noise_and_zeros_are_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "weights"
    for content in (bytes(length), random.Random(length).randbytes(length), b"\x80" * length):
        path.write_bytes(content)
        with pytest.raises(InputError, match=str(path)):
            read_weights(path)
