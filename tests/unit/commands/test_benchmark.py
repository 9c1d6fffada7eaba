import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jde import cli
from jde.benchmarking import weights_engines
from jde.benchmarking.contestants import Wish
from jde.benchmarking.opening import open_contestants
from jde.benchmarking.stages import score_of_candidate
from jde.commands.benchmark import BenchmarkOptions, run
from jde.engines.graph_engine import GraphHeadMaps
from jde.engines.model_card import at
from jde.model.config import STRIDES
from jde.structures.errors import InputError

TINY = BenchmarkOptions(
    preset="jde-nano",
    size=(64, 32),
    frames=4,
    video_size=(128, 96),
    people=(3, 2),
    candidates=5,
    threads=1,
)


def test_every_stage_is_measured_and_written(tmp_path: Path) -> None:
    output, plot = tmp_path / "a.json", tmp_path / "a.png"
    table = run(replace(TINY, engines="torch,openvino", output=output, plot=plot))
    report = json.loads((tmp_path / "a.json").read_text())
    assert list(report["stages"]) == [
        "decode video",
        "letterbox",
        "network, torch",
        "network, openvino",
        "boxes, NMS, embeddings of 5",
        "picture to draw on",
        "draw 3 people",
        "encode video",
    ]
    assert all(
        0 < stage["p10"] <= stage["median"] <= stage["p90"] for stage in report["stages"].values()
    )
    assert list(report["tracker"]) == ["2", "3"]
    assert set(report["runs"]) == {"tracks", "tracks and video"}
    assert all(whole["frames"] == 4 for whole in report["runs"].values())
    assert report["machine"]["cores"] >= 1
    assert "numpy" in report["machine"]["versions"]
    assert all(name in table for name in report["stages"])
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("candidates", "passing"), [(3, 3), (1, 1), (500, 15)])
def test_a_threshold_lets_so_many_anchors_pass(candidates: int, passing: int) -> None:
    margins = np.random.default_rng(0).permutation(16).astype(np.float32) / 4
    objectness = np.stack([np.zeros_like(margins), margins]).reshape(1, 1, 2, 4, 4)
    empty = np.zeros((1, 1, 2, 0, 0), np.float32)
    arrays = {at("objectness", stride): objectness if stride == 8 else empty for stride in STRIDES}
    boxes = {
        at("box_deltas", stride): np.zeros(
            (1, 1, 4, *arrays[at("objectness", stride)].shape[3:]), np.float32
        )
        for stride in STRIDES
    }
    least = score_of_candidate(GraphHeadMaps(arrays | boxes, {}), candidates)
    assert (1 / (1 + np.exp(-margins)) > np.float32(least)).sum() == passing


def test_an_engine_that_is_not_installed_is_left_out_with_a_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(weights_engines.NEEDED, "onnx", ("a_package_that_nobody_has",))
    wish = Wish(preset="jde-nano", size=(64, 32), engines=("onnx", "torch"), threads=1)
    found = open_contestants(wish, tmp_path)
    assert list(found.engines) == ["torch"]
    assert found.notes == ["onnx: skipped, a_package_that_nobody_has is not installed"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engines", "tensorflow"], "engines: tensorflow is unknown; use torch"),
        (["--engines", "onnx:bfloat16"], "engines: onnx:bfloat16 is unknown"),
        (["--preset", "jde-nono"], "did you mean 'jde-nano'?"),
    ],
)
def test_bad_requests_are_refused_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--size", "64", "32", "--video-size", "64", "64", "--frames", "2", "--people", "1"]
    assert cli.run(["benchmark", "--preset", "jde-nano", *small, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(InputError, match="must be 1 or more"):
        replace(TINY, frames=0)


def test_a_file_of_finished_detections_is_refused(tmp_path: Path) -> None:
    from jde.benchmarking.random_network import random_network
    from jde.export.exporting import ExportSettings, export_network
    from jde.model.presets import find_preset

    path = tmp_path / "detections.onnx"
    network = random_network(find_preset("jde-nano", size=(64, 32)))
    export_network(network, path, ExportSettings(format="onnx", outputs="detections", limit=4))
    with pytest.raises(InputError, match="--outputs maps"):
        open_contestants(Wish(weights=str(path)), tmp_path)
