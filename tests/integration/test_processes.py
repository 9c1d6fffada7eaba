"""Two processes that share a batch learn what one process does that takes the whole batch."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import Tensor

from jde.weights.networks import load_network

CONFIG = """
model: {preset: jde-nano, input_size: [64, 64]}
data:
  workers: 0
  sources: [{kind: scenes, length: 40, people: 4}]
loss: {assign_best: true, uncertainties: [0, 0, 0]}
training:
  epochs: 2
  batch_size: 4
  learning_rate: 5e-5
  warmup_steps: 2
  norm_statistics: fixed
  initialise: jde-nano
  device: cpu
  log_steps: 1
  checkpoint_minutes: 60
  trackers: []
"""
STEPS = 20
LAUNCHER = ("torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m")


NORM = """
import copy, torch
import torch.distributed as dist
from torch import nn
from torch.testing import assert_close
from jde.training.norm_statistics import set_statistics

dist.init_process_group("gloo")
torch.manual_seed(0)
mine = slice(2 * dist.get_rank(), 2 * dist.get_rank() + 2)
whole = nn.Sequential(nn.BatchNorm2d(3)).double()
nn.init.normal_(whole[0].weight)
synced = copy.deepcopy(whole)
set_statistics(synced, "all", torch.device("cpu"))
maps, wanted = torch.randn(2, 4, 3, 5, 6, dtype=torch.float64)
one, two = maps.clone().requires_grad_(), maps[mine].clone().requires_grad_()
(whole(one) * wanted).sum().backward()
(synced(two) * wanted[mine]).sum().backward()
assert_close(two.grad, one.grad[mine])
assert_close(synced(maps[mine]), whole(maps)[mine])
for name, buffer in whole.named_buffers():
    assert_close(dict(synced.named_buffers())[name], buffer)
for parameter, other in zip(synced.parameters(), whole.parameters()):
    dist.all_reduce(parameter.grad)
    assert_close(parameter.grad, other.grad)
dist.destroy_process_group()
"""


def start(
    config: Path, output: Path, options: list[str], *launcher: str
) -> subprocess.Popen[bytes]:
    arguments = ["train", str(config), "--output", str(output), *options]
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, "jde", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def losses(output: Path) -> list[list[float]]:
    entries = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [
        [entry[name] for name in ("box", "objectness", "identity", "total")] for entry in entries
    ]


def test_synced_normalisation_is_that_of_the_whole_batch(tmp_path: Path) -> None:
    script = tmp_path / "norm.py"
    script.write_text(NORM)
    launcher = [sys.executable, "-m", *LAUNCHER[:-1], str(script)]
    found = subprocess.run(launcher, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


# The last two steps of an epoch hold four and three pictures: one process takes one more there.
UNEVEN = ["--data.sources.0.length", "39"]
# Pairs of cells stay within a process: those within a picture don't depend on who shares a step.
VIEWS = "--data.views 2 --training.epochs 1 --loss.views 1 --loss.views_of all"
PAIRS = [*VIEWS.split(), "--loss.views_against", "picture"]


@pytest.mark.slow
@pytest.mark.parametrize("options", [UNEVEN, PAIRS], ids=["published", "views"])
def test_two_processes_learn_what_one_learns(tmp_path: Path, options: list[str]) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(CONFIG)
    runs = [
        start(config, tmp_path / "one", options),
        start(config, tmp_path / "two", options, *LAUNCHER),
    ]
    said = [[text.decode() for text in run.communicate()] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    for report, log in said:
        assert report.count("weights:") == report.count("all epochs done") == 1
        assert log.count("tensors loaded") == log.count("pictures of 1 sources") == 1
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == STEPS
    for first, second in zip(one, two, strict=True):
        assert second == pytest.approx(first, rel=1e-4, abs=1e-4)
    before = build_start()
    after = [load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two")]
    moved, apart = (
        math.sqrt(sum(float((a[n] - b[n]).square().sum()) for n in before))
        for a, b in ((after[0], before), (after[0], after[1]))
    )
    assert moved > 0
    assert apart < 1e-2 * moved
    assert json.loads((tmp_path / "two" / "run.json").read_text())["processes"] == 2


def build_start() -> dict[str, Tensor]:
    """Return the parameters that the runs start from; they learn another kind of embedding."""
    parameters = load_network("jde-nano").named_parameters()
    return {name: one.detach() for name, one in parameters if ".embedding." not in name}
