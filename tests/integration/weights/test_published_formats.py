"""One published network through every format and back, and what the other programs would see."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.real_data import DATA
from torch import Tensor

from jde.cli import run
from jde.model.builders import build_network
from jde.model.presets import ANCHORS_576X320_PADDLE, anchors_for, darknet53
from jde.structures.errors import InputError
from jde.weights.checkpoint import Checkpoint
from jde.weights.loading import load_detector
from jde.weights.name_map import all_names, network_names
from jde.weights.native import read_checkpoint, write_checkpoint
from jde.weights.networks import load_network
from jde.weights.reading import read_weights
from jde.weights.writing import write_weights

IDENTITIES = 9

LOADER = """
import resource, sys, time
from pathlib import Path
from jde.weights.networks import load_network
size = (1088, 608)
usage = lambda: resource.getrusage(resource.RUSAGE_SELF)
before, start = usage().ru_maxrss, time.process_time()
network = load_network(Path(sys.argv[1]), size=size)
total = sum(float(tensor.double().sum()) for tensor in network.state_dict().values())
print(usage().ru_maxrss - before, time.process_time() - start, total)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a native file and its copies in the other formats."""
    folder = tmp_path_factory.mktemp("published")
    config = darknet53((864, 480))
    torch.manual_seed(0)
    criterion = {
        "classifier.weight": torch.randn(IDENTITIES, 512),
        "classifier.bias": torch.randn(IDENTITIES),
        "box_weight": torch.tensor([-4.8, -4.7, -4.6]),
        "objectness_weight": torch.tensor([-4.1, -4.0, -3.9]),
        "identity_weight": torch.tensor([-2.3, -2.2, -2.1]),
    }
    state = build_network(config).state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            tensor.fill_(17)
    write_checkpoint(folder / "a.safetensors", Checkpoint(config, state, criterion))
    for end in (".pt", ".pdparams", ".ckpt", ".conv.74"):
        write_weights(folder / f"a-864x480{end}", read_checkpoint(folder / "a.safetensors"))
    return folder


def same(found: Checkpoint, known: Checkpoint) -> None:
    for mine, theirs in ((found.network, known.network), (found.criterion, known.criterion)):
        assert mine.keys() == theirs.keys()
        for name, tensor in theirs.items():
            if not name.endswith("num_batches_tracked"):
                assert torch.equal(mine[name], tensor), name


@pytest.mark.parametrize(
    ("end", "source"), [(".pt", "zhongdao"), (".pdparams", "paddle"), (".ckpt", "mindspore")]
)
def test_a_round_trip_changes_no_bit(folder: Path, end: str, source: str) -> None:
    known = read_checkpoint(folder / "a.safetensors")
    found = read_weights(folder / f"a-864x480{end}")
    same(found, known)
    assert found.config.source == source
    assert found.config.input_size == (864, 480)
    is_mindspore = source == "mindspore"
    assert found.config.activation == ("relu" if is_mindspore else "leaky")
    assert found.config.stride2_padding == ("bottom-right" if is_mindspore else "symmetric")


def test_the_authors_program_finds_its_own_names(folder: Path) -> None:
    loaded = torch.load(folder / "a-864x480.pt", weights_only=True)
    model = loaded["model"]
    names = {names.zhongdao for names in all_names()}
    counters = {name.replace("running_var", "num_batches_tracked") for name in names}
    assert model.keys() == names | {name for name in counters if "num_batches" in name}
    assert len(model) == 455
    assert model["module_list.0.batch_norm_0.num_batches_tracked"].item() == 17
    assert model["classifier.weight"].shape == (IDENTITIES, 512)


def test_paddle_finds_arrays_under_its_own_names(folder: Path) -> None:
    content = pickle.loads((folder / "a-864x480.pdparams").read_bytes())
    internal = content.pop("StructuredToParameterName@@")
    assert internal == {}
    assert content.keys() == {names.paddle for names in all_names()}
    assert all(array.dtype == np.float32 for array in content.values())
    assert content["reid.classifier.weight"].shape == (512, IDENTITIES)
    assert content["reid.cls.1.loss_param"].item() == np.float32(-4.0)


@pytest.mark.parametrize("is_legacy", [False, True])
def test_checkpoints_of_parallel_training_and_without_extras_load(
    folder: Path, tmp_path: Path, *, is_legacy: bool
) -> None:
    model = torch.load(folder / "a-864x480.pt", weights_only=True)["model"]
    kept = {
        f"module.{name}": tensor
        for name, tensor in model.items()
        if "classifier" not in name and "num_batches" not in name
    }
    path = tmp_path / "latest.pt"
    torch.save({"model": kept}, path, _use_new_zipfile_serialization=not is_legacy)
    found = read_weights(path, size=(864, 480))
    same(
        replace(found, criterion={}),
        replace(read_checkpoint(folder / "a.safetensors"), criterion={}),
    )
    assert "classifier.weight" not in found.criterion
    assert found.criterion.keys() == {"box_weight", "objectness_weight", "identity_weight"}


def test_a_size_that_nobody_says_is_asked_for(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "latest.pdparams"
    path.hardlink_to(folder / "a-864x480.pdparams")
    with pytest.raises(InputError, match="pass the size, one of 1088x608"):
        load_network(path)
    network = load_network(path, size=(576, 320))
    assert network.config.anchors == ANCHORS_576X320_PADDLE
    odd = tmp_path / "mine-640x480.pdparams"
    odd.hardlink_to(path)
    with pytest.raises(InputError, match="no anchors are published for 640x480"):
        load_network(odd)
    anchors = anchors_for((576, 320))
    assert read_weights(odd, anchors=anchors).config.anchors == anchors


def test_published_weights_run_at_another_size_with_their_own_anchors(folder: Path) -> None:
    config = load_network(folder / "a-864x480.pt", size=(640, 352)).config
    assert config.input_size == (640, 352)
    assert config.anchors == anchors_for((864, 480))


def test_a_backbone_goes_to_darknet_and_back(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder / "a-864x480.conv.74"
    assert path.stat().st_size == 162_482_580
    known = read_checkpoint(folder / "a.safetensors").network
    found = read_weights(path)
    assert found.is_backbone
    for name, tensor in found.network.items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, known[name]), name
    write_weights(tmp_path / "b.safetensors", found)
    write_weights(tmp_path / "b.conv.74", read_weights(tmp_path / "b.safetensors"))
    assert (tmp_path / "b.conv.74").read_bytes() == path.read_bytes()
    network = load_network(tmp_path / "b.safetensors")
    assert "untrained" in caplog.text
    assert torch.equal(
        network.state_dict()["backbone.stem.conv.weight"], known["backbone.stem.conv.weight"]
    )
    with pytest.raises(InputError, match="only a backbone"):
        load_detector(path)
    with pytest.raises(InputError, match="only a backbone"):
        write_weights(tmp_path / "b-864x480.pt", found)


def test_darknets_numbers_lie_in_darknets_order(folder: Path) -> None:
    numbers = np.fromfile(folder / "a-864x480.conv.74", np.float32, offset=20)
    state = read_checkpoint(folder / "a.safetensors").network
    stem = [
        f"backbone.stem.norm.{part}" for part in ("bias", "weight", "running_mean", "running_var")
    ]
    expected = np.concatenate(
        [state[name].flatten().numpy() for name in (*stem, "backbone.stem.conv.weight")]
    )
    assert np.array_equal(numbers[: len(expected)], expected)


@pytest.mark.parametrize("prefix", ["", "backbone."])
def test_paddles_backbone_files_may_lack_the_start_of_names(
    folder: Path, tmp_path: Path, prefix: str
) -> None:
    content = pickle.loads((folder / "a-864x480.pdparams").read_bytes())
    start = "detector.backbone."
    kept = {
        prefix + name.removeprefix(start): array
        for name, array in content.items()
        if name.startswith(start)
    }
    path = tmp_path / "DarkNet53_pretrained.pdparams"
    path.write_bytes(pickle.dumps(kept, 4))
    found = read_weights(path)
    assert found.is_backbone
    known = read_checkpoint(folder / "a.safetensors").network
    assert torch.equal(
        found.network["backbone.stages.4.4.expand.conv.weight"],
        known["backbone.stages.4.4.expand.conv.weight"],
    )


def test_wrong_shapes_and_kinds_are_named(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a-864x480.pt"
    model = torch.load(folder / "a-864x480.pt", weights_only=True)["model"]
    bad: dict[str, tuple[Tensor | None, str]] = {
        "module_list.83.conv_83.weight": (torch.ones(256, 512, 3, 3), r"\(256, 512, 3, 3\)"),
        "module_list.83.conv_83.bias": (torch.ones(512, dtype=torch.int64), "int64"),
        "module_list.111.conv_111.bias": (None, r"no module_list\.111\.conv_111\.bias"),
        "classifier.weight": (torch.ones(3), "classifier.weight can't be"),
    }
    for name, (tensor, message) in bad.items():
        changed = {key: value for key, value in model.items() if key != name}
        if tensor is not None:
            changed[name] = tensor
        torch.save({"model": changed}, path)
        with pytest.raises(InputError, match=rf"a-864x480\.pt: .*{message}"):
            read_weights(path)


@pytest.mark.parametrize(
    "name", ["a.safetensors", "a-864x480.pt", "a-864x480.pdparams", "a-864x480.ckpt"]
)
def test_loading_takes_less_than_twice_the_size(folder: Path, name: str) -> None:
    path = folder / name
    command = [sys.executable, "-c", LOADER, str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kilobytes, _, total = map(float, output.split())
    assert kilobytes * 1024 <= 2 * path.stat().st_size
    assert np.isfinite(total)


def test_the_command_converts_and_says_what_it_found(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "b.safetensors"
    assert run(["convert", str(folder / "a-864x480.pt"), str(target), "--half"]) == 0
    said = capsys.readouterr().out
    assert "darknet53 at 864x480, trained by zhongdao, classifier of 9 identities" in said
    assert target.stat().st_size < 0.55 * (folder / "a.safetensors").stat().st_size
    assert run(["convert", str(target), str(tmp_path / "c.safetensors"), "--network-only"]) == 0
    assert "classifier" not in capsys.readouterr().out
    assert not read_weights(tmp_path / "c.safetensors").criterion
    calibrated = tmp_path / "d.safetensors"
    assert run(["convert", str(target), str(calibrated), "--start-score", "0.9"]) == 0
    assert read_weights(calibrated).config.start_score == 0.9
    refused = str(tmp_path / "d-864x480.pt")
    assert run(["convert", str(target), refused, "--start-score", "0.9"]) == 2
    assert "only .safetensors files can hold a start score" in capsys.readouterr().err
    assert run(["convert", str(target), str(tmp_path / "b.onnx")]) == 2
    assert "must end in" in capsys.readouterr().err
    assert run(["convert", str(tmp_path / "none.pt"), str(target)]) == 2
    assert "none.pt" in capsys.readouterr().err


def test_the_names_are_those_of_the_specification() -> None:
    table = DATA.parent / "spec" / "jde-name-map.tsv"
    if not table.is_file():
        pytest.skip(f"no table of names at {table}")
    rows = [line.split("\t") for line in table.read_text().splitlines() if not line.startswith("#")]
    ours = {(names.zhongdao, names.paddle, names.mindspore) for names in all_names()}
    assert ours == {(row[0], row[2], row[3]) for row in rows}
    assert len(rows) == 383
    shapes = {row[0]: row[1] for row in rows}
    state = build_network(darknet53()).state_dict()
    for names in network_names():
        assert str(tuple(state[names.ours].shape)) == shapes[names.zhongdao]
