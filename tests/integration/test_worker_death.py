"""A loading process that the system kills in the middle of a run costs nothing but its start."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

CONFIG = """
model: {preset: jde-nano, input_size: [96, 64]}
data:
  sources: [{kind: scenes, length: 24}]
training:
  epochs: 1
  batch_size: 2
  warmup_steps: 2
  device: cpu
  checkpoint_minutes: 0
  trackers: []
"""


def start(config: Path, output: Path, workers: int) -> subprocess.Popen[str]:
    more = ["--output", str(output), "--data.workers", str(workers)]
    return subprocess.Popen(
        [sys.executable, "-m", "jde", "train", str(config), *more],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )


def children(process: int) -> list[int]:
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")
def test_a_run_whose_loading_process_is_killed_ends_with_the_same_weights(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(CONFIG)
    whole, struck = start(config, tmp_path / "whole", 0), start(config, tmp_path / "struck", 1)
    while not list((tmp_path / "struck").glob("checkpoints/*.safetensors")):
        assert struck.poll() is None
        time.sleep(0.005)
    (worker,) = children(struck.pid)
    os.kill(worker, signal.SIGKILL)
    said = struck.communicate()[1]
    whole.communicate()
    assert (whole.returncode, struck.returncode) == (0, 0), said
    assert "starting the loading processes again" in said
    first, second = (
        load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "struck")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
