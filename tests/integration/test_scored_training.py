"""Training that is scored while it learns, from the command line, in one process and in two."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from safetensors.torch import load_file

from jde.cli import run
from jde.formats.seqinfo import SequenceInfo, write_seqinfo
from jde.weights.native import read_network

CONFIG = """
model: {preset: jde-nano, input_size: [64, 64]}
data:
  workers: 0
  sources: [{kind: scenes, length: 4, people: 4}]
training:
  epochs: 2
  batch_size: 4
  warmup_steps: 0
  learning_rate: 1e-4
  norm_statistics: fixed
  initialise: jde-nano
  device: cpu
  log_steps: 1
  trackers: []
"""
LAUNCHER = ("torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a run that is scored after each epoch on a sequence made here."""
    street = tmp_path / "street"
    (street / "img1").mkdir(parents=True)
    (street / "gt").mkdir()
    noise = np.random.default_rng(0)
    for index in (1, 2, 3):
        picture = noise.integers(0, 255, (64, 64, 3), np.uint8)
        cv2.imwrite(str(street / "img1" / f"{index:06d}.png"), picture)
    write_seqinfo(street, SequenceInfo("street", street / "img1", 10.0, 3, 64, 64), suffix=".png")
    rows = [
        f"{frame},{who},{10 + 20 * who},8,14,40,1,1,1\n" for frame in (1, 2, 3) for who in (1, 2)
    ]
    (street / "gt" / "gt.txt").write_text("".join(rows))
    path = tmp_path / "run.yaml"
    path.write_text(f"{CONFIG}evaluation: {{sequences: ['{street}'], pictures: ['{street}']}}\n")
    return path


def scores(output: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [entry for entry in entries if "scores" in entry]


def test_a_scored_run_names_its_best_weights(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert run(["train", str(config), "--output", str(output)]) == 0
    best = output / "best.safetensors"
    assert f"best:     {best}" in capsys.readouterr().out
    assert read_network(best).config.input_size == (64, 64)
    assert [entry["epoch"] for entry in scores(output)] == [0, 1]
    assert {"MOTA", "IDF1", "HOTA", "AP"} <= scores(output)[0]["scores"].keys()
    assert (output / "metrics.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((output / "run.json").read_text())["evaluation"]["pictures"] == 3


@pytest.mark.slow
def test_one_of_two_processes_scores_while_the_other_waits(config: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    found = subprocess.run(
        [sys.executable, "-m", *LAUNCHER, "jde", "train", str(config), "--output", str(output)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "all epochs done after 2 steps" in found.stdout
    entries = scores(output)
    assert [(entry["epoch"], entry["step"]) for entry in entries] == [(0, 1), (1, 2)]
    kept = max(range(2), key=lambda epoch: entries[epoch]["scores"]["MOTA"])
    last = load_file(output / "weights.safetensors")
    best = load_file(output / "best.safetensors")
    assert all(bool((best[name] == last[name]).all()) for name in last) == (kept == 1)
