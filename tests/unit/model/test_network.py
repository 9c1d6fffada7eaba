from dataclasses import replace

import pytest
import torch

from jde.model.builders import build_network
from jde.model.config import STRIDES, ModelConfig
from jde.model.layers import fuse_all
from jde.model.network import JDENet
from jde.model.presets import PRESETS, darknet53
from jde.structures.errors import InputError

LOSS_WEIGHTS = 9


def warmed(network: JDENet) -> JDENet:
    """Give the normalisations statistics that a folding mistake would show."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize("name", ["jde-nano", "jde-small"])
@pytest.mark.parametrize("size", [(96, 64), (64, 128)])
def test_compact_networks_answer_at_three_strides(name: str, size: tuple[int, int]) -> None:
    network = build_network(PRESETS[name]).eval()
    with torch.inference_mode():
        outputs = network(torch.rand(2, 3, size[1], size[0]))
    for stride, output in zip(STRIDES, outputs, strict=True):
        rows, columns = size[1] // stride, size[0] // stride
        assert output.box_deltas.shape == (2, 4, 4, rows, columns)
        assert output.objectness.shape == (2, 4, 2, rows, columns)
        assert output.embeddings.shape == (2, 128, rows, columns)


def test_parameter_counts_are_the_published_ones_and_within_our_limits() -> None:
    with torch.device("meta"):
        counts = {
            name: sum(tensor.numel() for tensor in build_network(config).parameters())
            for name, config in PRESETS.items()
        }
    assert counts["jde-darknet53-1088x608"] == 65_664_817 - LOSS_WEIGHTS
    assert counts["jde-nano"] <= 1_500_000
    assert counts["jde-small"] <= 5_000_000


@pytest.mark.parametrize("source", ["zhongdao", "mindspore"])
def test_published_network_answers_at_three_strides(source: str) -> None:
    network = build_network(darknet53((576, 320), source=source)).eval()
    with torch.inference_mode():
        outputs = network(torch.rand(1, 3, 64, 96))
    assert [tuple(output.embeddings.shape) for output in outputs] == [
        (1, 512, 2, 3),
        (1, 512, 4, 6),
        (1, 512, 8, 12),
    ]


def test_a_size_off_the_stride_is_refused_with_the_nearest_good_one() -> None:
    network = build_network(PRESETS["jde-nano"])
    with pytest.raises(InputError, match=r"100x64 .* multiples of 32; the nearest is 96x64"):
        network(torch.rand(1, 3, 64, 100))


def test_folding_the_normalisation_keeps_the_maps() -> None:
    torch.manual_seed(1)
    network = warmed(build_network(PRESETS["jde-nano"]))
    images = torch.rand(1, 3, 96, 128)
    with torch.inference_mode():
        before = network(images)
        fuse_all(network)
        after = network(images)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    for first, second in zip(before, after, strict=True):
        for old, new in zip(first, second, strict=True):
            torch.testing.assert_close(new, old, rtol=1e-4, atol=1e-5)


def test_one_sided_padding_shifts_the_grid() -> None:
    torch.manual_seed(0)
    symmetric = build_network(darknet53((64, 64)))
    one_sided = build_network(darknet53((64, 64), source="mindspore"))
    conv = one_sided.backbone.get_submodule("stages.0.0.conv")
    assert isinstance(conv, torch.nn.Conv2d)
    assert conv.padding == (0, 0)
    stage = one_sided.backbone.get_submodule("stages.0.0")
    other = symmetric.backbone.get_submodule("stages.0.0")
    maps = torch.rand(1, 32, 8, 8)
    conv_other = other.get_submodule("conv")
    conv.weight.data.copy_(conv_other.weight)  # type: ignore[arg-type]
    padded = torch.nn.functional.conv2d(
        torch.nn.functional.pad(maps, (0, 1, 0, 1)), conv.weight, stride=2
    )
    normalised = stage.get_submodule("norm").eval()(padded)
    torch.testing.assert_close(stage.eval()(maps), torch.relu(normalised))


def test_a_configuration_survives_its_json() -> None:
    for config in PRESETS.values():
        assert ModelConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"symmetric"', '"s.mmetric"'),
        ('"leaky"', '"leeky"'),
        ('"nano"', '"nanno"'),
        ('"embedding_dim": 128', '"embedding_dim": 128.5'),
        ('"source": "jde"', '"source": 7'),
        ('"start_score": 0.5', '"start_score": 1.5'),
    ],
)
def test_a_configuration_with_a_damaged_field_is_refused(old: str, new: str) -> None:
    text = PRESETS["jde-nano"].to_json()
    assert old in text
    with pytest.raises(InputError, match="must be"):
        ModelConfig.from_json(text.replace(old, new))


def test_files_without_a_start_score_have_the_published_one() -> None:
    text = PRESETS["jde-nano"].to_json().replace(', "start_score": 0.5', "")
    assert "start_score" not in text
    assert ModelConfig.from_json(text).start_score == 0.5


def test_a_fixed_input_leaves_files_as_those_of_older_versions() -> None:
    config = PRESETS["jde-nano"]
    assert "input_shape" not in config.to_json()
    fitted = replace(config, input_shape="fitted")
    assert ModelConfig.from_json(fitted.to_json()) == fitted
    with pytest.raises(InputError, match="input_shape must be one of fixed, fitted"):
        ModelConfig.from_json(fitted.to_json().replace('"fitted"', '"round"'))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"architecture": "nano"}', "null"])
def test_a_broken_configuration_is_one_clear_error(text: str) -> None:
    with pytest.raises(InputError, match="model configuration can't be read"):
        ModelConfig.from_json(text)
