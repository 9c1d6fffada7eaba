import numpy as np
import torch
from tests.lively_network import SIZE, lively_network

from jde.engines.head_maps_graph import HeadMapsGraph
from jde.export.rounding import STEPS, round_rows, round_weights
from jde.model.layers import ConvNorm


def steps(weights: torch.Tensor) -> torch.Tensor:
    """Return weights (outputs, ...) in steps of the grid of each output."""
    rows = weights.flatten(1)
    return rows / rows.abs().amax(dim=1, keepdim=True) * STEPS


def test_errors_cancel_out_where_inputs_are_alike() -> None:
    torch.manual_seed(0)
    brightness = 5 + torch.randn(500, 1, dtype=torch.float64)
    inputs = brightness + 0.1 * torch.randn(500, 9, dtype=torch.float64)
    weights = torch.randn(1, 40, 9)

    rounded = round_rows(weights, (inputs.T @ inputs)[None])

    on_grid = steps(rounded[0])
    torch.testing.assert_close(on_grid, on_grid.round(), atol=1e-3, rtol=0)
    largest = weights.abs().argmax(dim=2, keepdim=True)
    assert torch.equal(rounded.gather(2, largest), weights.gather(2, largest))
    grid = weights.abs().amax(dim=2, keepdim=True) / STEPS
    nearest = (weights / grid).round() * grid
    assert error(rounded, weights, inputs) < 0.5 * error(nearest, weights, inputs)


def error(rounded: torch.Tensor, weights: torch.Tensor, inputs: torch.Tensor) -> float:
    return float((inputs @ (rounded - weights)[0].T.double()).square().mean().sqrt())


def test_a_quantiser_finds_the_weights_of_a_network_on_its_grid() -> None:
    graph = HeadMapsGraph(lively_network(), sparse=True)
    heads = {name: value.clone() for name, value in graph.network.heads.state_dict().items()}
    pictures = np.random.default_rng(0).integers(0, 256, (1, SIZE[1], SIZE[0], 3), np.uint8)

    round_weights(graph, [pictures])

    layers = [one.conv for one in graph.network.modules() if isinstance(one, ConvNorm)]
    assert len(layers) > 60
    for layer in layers:
        on_grid = steps(layer.weight)
        torch.testing.assert_close(on_grid, on_grid.round(), atol=1e-2, rtol=0)
    for name, value in graph.network.heads.state_dict().items():
        assert torch.equal(value, heads[name])
