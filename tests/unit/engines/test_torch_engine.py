import numpy as np
import pytest
import torch

from jde.engines.torch_engine import TorchEngine
from jde.model.builders import build_network
from jde.model.joint_head import LevelOutput
from jde.model.network import JDENet
from jde.model.presets import PRESETS, find_preset

SIZE = (96, 64)


@pytest.fixture(scope="module")
def network() -> JDENet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build_network(find_preset("jde-nano", size=SIZE)).eval()


@pytest.fixture(scope="module")
def expected(network: JDENet, pictures: np.ndarray) -> list[LevelOutput]:
    with torch.inference_mode():
        return network(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, SIZE[1], SIZE[0], 3), np.uint8)


def test_maps_equal_those_of_the_network(
    network: JDENet, expected: list[LevelOutput], pictures: np.ndarray
) -> None:
    maps = TorchEngine(network, device="cpu")(pictures)
    for level, output in enumerate(expected):
        np.testing.assert_allclose(maps.levels[level].box_deltas, output.box_deltas, atol=1e-5)
        np.testing.assert_allclose(maps.levels[level].objectness, output.objectness, atol=1e-5)


def test_embeddings_on_demand_equal_the_dense_map_also_at_the_border(
    network: JDENet, expected: list[LevelOutput], pictures: np.ndarray
) -> None:
    maps = TorchEngine(network, device="cpu")(pictures)
    for level, output in enumerate(expected):
        dense = output.embeddings.numpy()
        n, _, height, width = dense.shape
        which, rows, columns = (axis.ravel() for axis in np.indices((n, height, width)))
        found = maps.embeddings(level, which, rows, columns)
        np.testing.assert_allclose(
            found, dense[which, :, rows, columns], rtol=1e-5, atol=1e-6 * np.abs(dense).max() + 1e-7
        )


def test_the_given_network_stays_as_it_is() -> None:
    network = build_network(PRESETS["jde-nano"]).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    TorchEngine(network, device="cpu")
    assert network.training
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_half_precision_stays_near(network: JDENet, pictures: np.ndarray) -> None:
    exact = TorchEngine(network, device="cpu")(pictures)
    short = TorchEngine(network, device="cpu", precision="bfloat16")(pictures)
    for level in range(3):
        difference = exact.levels[level].objectness - short.levels[level].objectness
        assert 0 < np.abs(difference).max() < 0.05
