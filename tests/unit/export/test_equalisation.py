import numpy as np
import pytest
import torch
from tests.lively_network import SIZE, lively_network

from jde.engines.head_maps_graph import HeadMapsGraph
from jde.export.equalisation import equalise, filtered_pairs, measure_peaks, streams

Pictures = list[np.ndarray]


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (1, SIZE[1], SIZE[0], 3), np.uint8) for _ in range(2)]


def test_weak_channels_are_raised_and_the_outputs_stay(pictures: Pictures) -> None:
    graph = HeadMapsGraph(lively_network(), sparse=True)
    maker, reader = next(filtered_pairs(graph.network))
    with torch.no_grad():
        assert maker.conv.bias is not None
        maker.conv.weight[3] /= 50
        maker.conv.bias[3] /= 50
        reader.conv.weight[3] *= 50
    before = graph(torch.from_numpy(pictures[0]))

    equalise(graph.network, graph, pictures)

    places = list(streams(graph.network))
    assert [len(place.makers) for place in places] == [1, 2, 3, 4, 3, 2]
    for peak in measure_peaks(graph, places, pictures):
        assert peak.min() > 0.9 * peak.max()
    stem = maker(torch.from_numpy(pictures[0]).permute(0, 3, 1, 2).float() / 255)
    assert stem.amax(dim=(0, 2, 3))[3] > 0.5 * min(4, stem.max())
    for first, second in zip(before, graph(torch.from_numpy(pictures[0])), strict=True):
        np.testing.assert_allclose(second, first, atol=2e-3, rtol=1e-3)
