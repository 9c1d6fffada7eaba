from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from jde.model.builders import build_network
from jde.model.network import JDENet
from jde.model.presets import PRESETS
from jde.structures.errors import InputError
from jde.weights import native


@pytest.fixture(scope="module")
def network() -> JDENet:
    torch.manual_seed(1)
    return build_network(PRESETS["jde-nano"])


def test_what_is_written_is_read_bit_by_bit(tmp_path: Path, network: JDENet) -> None:
    path = tmp_path / "new folder" / "a.safetensors"
    native.write_network(path, network, extra={"epochs": "3"})
    found = native.read_network(path)
    assert found.config == network.config
    assert not found.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name
    assert native.read_metadata(path)["epochs"] == "3"
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_loaded_weights_can_be_trained_and_their_file_replaced(
    tmp_path: Path, network: JDENet
) -> None:
    path = tmp_path / "a.safetensors"
    native.write_network(path, network)
    found = native.read_network(path)
    with torch.no_grad():
        for parameter in found.parameters():
            assert parameter.requires_grad
            parameter.add_(1)
    native.write_network(path, found)
    again = native.read_network(path)
    assert torch.equal(next(again.parameters()), next(network.parameters()) + 1)


def test_half_precision_halves_the_file_and_spares_the_normalisation(
    tmp_path: Path, network: JDENet
) -> None:
    full, half = tmp_path / "full.safetensors", tmp_path / "half.safetensors"
    native.write_network(full, network)
    native.write_network(half, network, half=True)
    assert half.stat().st_size < 0.6 * full.stat().st_size
    found, known = native.read_network(half).state_dict(), network.state_dict()
    for name, tensor in known.items():
        expected = tensor.half().float() if tensor.ndim > 1 else tensor
        assert torch.equal(found[name], expected), name


def test_kernels_beyond_the_range_of_half_precision_stay_whole() -> None:
    assert native.to_half(torch.full((2, 2), 1e6)).dtype == torch.float32
    assert native.to_half(torch.full((2, 2), 1e3)).dtype == torch.float16


def test_tensors_of_the_criterion_are_kept_apart(tmp_path: Path, network: JDENet) -> None:
    path = tmp_path / "a.safetensors"
    native.write_network(path, network, criterion={"classifier.weight": torch.ones(3, 128)})
    found = native.read_checkpoint(path)
    assert list(found.criterion) == ["classifier.weight"]
    assert found.network.keys() == network.state_dict().keys()
    native.read_network(path)


def test_a_missing_file_is_an_os_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        native.read_network(tmp_path / "a.safetensors")
    assert caught.value.filename is not None


@pytest.mark.parametrize("length", [0, 4, 8, 100, 5000, -1])
def test_a_cut_file_is_named(tmp_path: Path, network: JDENet, length: int) -> None:
    path = tmp_path / "a.safetensors"
    native.write_network(path, network)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"a\.safetensors: damaged"):
        native.read_network(path)


def test_safetensors_of_another_program_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(InputError, match="jde convert"):
        native.read_network(path)


def test_a_later_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.ones(2)}, path, {"jde.config": "{}", "jde.format_version": "2"})
    with pytest.raises(InputError, match="upgrade jde"):
        native.read_network(path)


def test_a_configuration_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.ones(2)}, path, {"jde.config": "[1]", "jde.format_version": "1"})
    with pytest.raises(InputError, match=r"a\.safetensors: the model configuration"):
        native.read_network(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("heads.0.embedding.bias"), "no heads.0.embedding.bias"),
        (lambda tensors: tensors.update(other=torch.ones(1)), "unknown other"),
        (
            lambda tensors: tensors.update({"heads.0.embedding.bias": torch.ones(3)}),
            r"shape \(3,\) where \(128,\)",
        ),
        (
            lambda tensors: tensors.update(
                {"heads.0.embedding.bias": torch.ones(128, dtype=torch.int32)}
            ),
            "int32 where torch.float32",
        ),
    ],
)
def test_tensors_that_dont_fit_are_named(
    tmp_path: Path, network: JDENet, change: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    path = tmp_path / "a.safetensors"
    tensors = dict(network.state_dict())
    change(tensors)
    metadata = {"jde.config": network.config.to_json(), "jde.format_version": "1"}
    save_file(tensors, path, metadata)
    with pytest.raises(InputError, match=message):
        native.read_network(path)
