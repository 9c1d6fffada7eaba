"""The network compiled by PyTorch when the first pictures come."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize(
    "device",
    [
        pytest.param("cpu", marks=needs_compiler),
        pytest.param("cuda", marks=[pytest.mark.gpu, needs_gpu]),
    ],
)
def test_compiled_maps_equal_those_that_are_not_and_outlive_the_next_pictures(device: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.compiled_engine", device],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["name"] == f"torch-compiled {device} float32"
    assert max(found[name] for name in ("box_deltas", "objectness", "embeddings")) < 1e-4
    assert found["embeddings_after_the_next_pictures"] == 0
