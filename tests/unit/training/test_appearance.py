import numpy as np
import pytest
import torch
from tests.lively_network import SIZE, lively_network
from tests.unit.training.drawn_feed import DrawnFeed

from jde.engines.torch_engine import TorchEngine
from jde.model.detector import Detector
from jde.model.post_processing import PostProcessing
from jde.structures.errors import InputError
from jde.training.appearance import bring_near, fit_appearance, read_people
from jde.training.discriminants import Projection, fit_discriminants


def test_the_first_discriminant_is_where_people_differ_for_how_much_each_changes() -> None:
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(50), 20)
    features = rng.normal(0, [0.1, 5.0, 1.0], (1000, 3))
    features[:, 0] += rng.normal(0, 1, 50)[identities]
    kernel, bias = fit_discriminants(features, identities, 2)
    assert kernel.shape == (2, 3)
    strength = np.abs(kernel[0]) * [1.0, 5.0, 1.0]
    assert strength[0] > 10 * strength[1:].max()
    np.testing.assert_allclose((features @ kernel.T + bias).mean(axis=0), [0, 0], atol=1e-9)


@pytest.mark.parametrize("identities", [np.arange(6), np.array([0, 0, 0, 1, 2, 3])])
def test_people_seen_once_teach_nothing(identities: np.ndarray) -> None:
    with pytest.raises(InputError, match="two who are seen twice"):
        fit_discriminants(np.ones((6, 2)), identities, 1)


def test_a_fitted_embedding_tells_people_apart_and_finds_the_same_ones() -> None:
    network = lively_network()
    feed = DrawnFeed(size=8)
    fitted = fit_appearance(network, feed, points=8, batches=4)
    assert fitted.config.appearance_points == 8
    features, identities = read_people(network, feed, points=8, batches=4)
    embedding = fitted.heads[2].embedding
    assert isinstance(embedding, torch.nn.Conv2d)
    kernel = embedding.weight.detach().double().numpy().reshape(8, -1, embedding.in_channels)
    assert embedding.bias is not None
    looks = np.einsum("pdc,npc->npd", kernel, features).reshape(len(features), -1)
    looks += embedding.bias.detach().double().numpy()
    assert ratio(looks, identities) < 0.8 * ratio(features.reshape(len(features), -1), identities)
    image = np.random.default_rng(1).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    before, after = (
        Detector(TorchEngine(one, device="cpu"), one.config, PostProcessing())(image)
        for one in (network, fitted)
    )
    assert len(before) > 5
    np.testing.assert_array_equal(after.boxes, before.boxes)
    np.testing.assert_array_equal(after.scores, before.scores)


def test_embeddings_lie_as_near_together_as_trackers_expect() -> None:
    features = np.random.default_rng(0).normal(3, 1, (400, 8, 16))
    kernel, bias = np.tile(np.eye(16), (8, 1)), np.full(128, -3.0)
    near = bring_near(Projection(kernel, bias), features)
    spread = features.reshape(400, -1) - 3
    looks = np.einsum("pdc,npc->npd", near.kernel.reshape(8, 16, 16), features).reshape(400, -1)
    before, after = distances(spread), distances(looks + near.bias)
    assert before.mean() == pytest.approx(np.sqrt(2), abs=0.01), "at right angles"
    np.testing.assert_allclose(after.mean() / before.mean(), 0.7 / 1.2, rtol=0.02)


def distances(looks: np.ndarray) -> np.ndarray:
    """Return the distances of the unit vectors of each two rows."""
    unit = looks / np.linalg.norm(looks, axis=1, keepdims=True)
    apart = np.linalg.norm(unit[:, None] - unit[None], axis=2)
    return apart[np.triu_indices(len(unit), 1)]


def ratio(looks: np.ndarray, identities: np.ndarray) -> float:
    """Return how far apart looks of the same person are, by the distance of all."""
    looks = looks - looks.mean(axis=0)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    apart = np.linalg.norm(looks[:, None] - looks[None], axis=2)
    same = identities[:, None] == identities[None]
    return float(apart[same & ~np.eye(len(looks), dtype=bool)].mean() / apart[~same].mean())


def test_too_many_numbers_for_a_point_are_refused() -> None:
    with pytest.raises(InputError, match="take more points"):
        fit_appearance(lively_network(), DrawnFeed(), points=1, batches=1)
