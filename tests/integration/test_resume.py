"""A run that is killed in the middle of an epoch goes on as if nothing had happened."""

import json
import os
import random
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
  keep_checkpoints: 20
  trackers: []
"""
STEPS = 20


def start(config: Path, output: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "jde", "train", str(config), "--output", str(output), *more],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_after(running: subprocess.Popen[bytes], output: Path, step: int) -> None:
    """Kill a run as soon as it has taken `step` steps, in whatever it then does."""
    checkpoint = output / "checkpoints" / f"step-{step:08d}.safetensors"
    while not checkpoint.exists() and running.poll() is None:
        time.sleep(0.005)
    running.kill()
    assert running.wait() == -signal.SIGKILL


def steps_of_deaths() -> list[int]:
    """Return after which steps the run is killed: one, or as many others as JDE_KILLS says."""
    kills = int(os.environ.get("JDE_KILLS", "1"))
    return [4] if kills == 1 else sorted(random.Random().sample(range(1, STEPS - 2), kills))


def test_kill_in_the_middle_of_an_epoch_then_resume_gives_the_same_weights(tmp_path: Path) -> None:
    config, killed = tmp_path / "run.yaml", tmp_path / "killed"
    config.write_text(CONFIG)
    whole = start(config, tmp_path / "whole")
    deaths = steps_of_deaths()
    for step in deaths:
        kill_after(start(config, killed, "--resume"), killed, step)
        assert not (killed / "weights.safetensors").exists()
    assert whole.wait() == 0
    assert start(config, killed, "--resume").wait() == 0
    first, second = (
        load_file(folder / "weights.safetensors") for folder in (tmp_path / "whole", killed)
    )
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first), deaths
    totals = [
        [json.loads(line)["total"] for line in (folder / "log.jsonl").read_text().splitlines()]
        for folder in (tmp_path / "whole", killed)
    ]
    assert len(totals[0]) == STEPS
    assert totals[0] == totals[1], deaths
