"""A run that is killed in the middle of an epoch goes on as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

CONFIG = """
model: {preset: jde-nano, input_size: [96, 64]}
data:
  workers: 0
  sources: [{kind: scenes, length: 20}]
training:
  epochs: 2
  batch_size: 2
  warmup_steps: 2
  device: cpu
  log_steps: 1
  checkpoint_minutes: 0
"""


def start(config: Path, output: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "jde", "train", str(config), "--output", str(output), *more],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_kill_in_the_middle_of_an_epoch_then_resume_gives_the_same_weights(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(CONFIG)
    whole = start(config, tmp_path / "whole")
    killed = start(config, tmp_path / "killed")
    middle = tmp_path / "killed" / "checkpoints" / "step-00000004.safetensors"
    while not middle.exists() and killed.poll() is None:
        time.sleep(0.005)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert whole.wait() == 0
    assert not (tmp_path / "killed" / "weights.safetensors").exists()
    assert start(config, tmp_path / "killed", "--resume").wait() == 0
    first, second = (
        load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "killed")
    )
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    totals = [
        [
            json.loads(line)["total"]
            for line in (tmp_path / name / "log.jsonl").read_text().splitlines()
        ]
        for name in ("whole", "killed")
    ]
    assert len(totals[0]) == 20
    assert totals[0] == totals[1]
