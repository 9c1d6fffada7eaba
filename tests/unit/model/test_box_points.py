from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.lively_network import SIZE, lively_network

from jde.engines.graph_engine import GraphHeadMaps
from jde.engines.head_maps_graph import HeadMapsGraph
from jde.engines.torch_engine import TorchEngine
from jde.model.box_points import FINEST, point_cells
from jde.model.config import STRIDES
from jde.model.detector import Detector, to_unit
from jde.model.network import JDENet, head
from jde.model.post_processing import PostProcessing
from jde.model.presets import find_preset
from jde.structures.errors import InputError
from jde.weights.checkpoint import Checkpoint
from jde.weights.writing import write_weights

POINTS = 8


def test_points_lie_evenly_down_the_middle_and_are_read_between_cells() -> None:
    boxes = np.array([[20, 8, 36, 40]], np.float32)
    cells = point_cells(boxes, 4, height=10, width=10)
    assert cells.rows.shape == (1, 4, 4)
    # The middle, x = 28, is the centre of column 3; the points lie at y = 12, 20, 28, 36.
    columns = (cells.columns * cells.shares).sum(axis=2)
    rows = (cells.rows * cells.shares).sum(axis=2)
    np.testing.assert_allclose(columns, [[3, 3, 3, 3]], atol=1e-6)
    np.testing.assert_allclose(rows, [[1, 2, 3, 4]], atol=1e-6)
    between = point_cells(boxes + np.float32(2), 4, height=10, width=10)
    np.testing.assert_allclose((between.columns * between.shares).sum(axis=2)[0], [3.25] * 4)
    np.testing.assert_allclose(between.shares.sum(axis=2), np.ones((1, 4)))


def test_points_beyond_the_map_are_read_at_its_border() -> None:
    boxes = np.array([[-90, -90, -80, 400]], np.float32)
    cells = point_cells(boxes, 3, height=5, width=7)
    assert set(cells.columns.ravel()) <= {0, 1}
    np.testing.assert_allclose((cells.columns * cells.shares).sum(axis=2), np.zeros((1, 3)))
    assert (cells.rows.min(), cells.rows.max()) == (0, 4)


def test_an_embedding_is_the_linear_map_of_what_each_point_reads() -> None:
    network = lively_network(points=POINTS)
    pictures = np.random.default_rng(0).integers(0, 256, (1, SIZE[1], SIZE[0], 3), np.uint8)
    boxes = np.array([[20, 10, 50, 90], [60, 30, 80, 70]], np.float32)
    maps = TorchEngine(network, device="cpu")(pictures)
    cells = point_cells(boxes, POINTS, SIZE[1] // STRIDES[FINEST], SIZE[0] // STRIDES[FINEST])
    found = maps.point_embeddings(FINEST, 0, cells)
    with torch.no_grad():
        scaled = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255
        fine = network.backbone(scaled)[0]
        # Sampling of a library: -1 and 1 are the outer borders of the map.
        steps = (torch.arange(POINTS) + 0.5) / POINTS
        corners = torch.from_numpy(boxes)
        y = corners[:, 1:2] + steps * (corners[:, 3:] - corners[:, 1:2])
        x = ((corners[:, 0] + corners[:, 2]) / 2)[:, None].expand_as(y)
        grid = torch.stack([x / SIZE[0], y / SIZE[1]], dim=2)[None] * 2 - 1
        read = torch.nn.functional.grid_sample(
            fine, grid, padding_mode="border", align_corners=False
        )[0]
        embedding = head(network, FINEST).embedding
        kernel = embedding.weight.reshape(POINTS, -1, embedding.in_channels)
        assert embedding.bias is not None
        wanted = torch.einsum("pdc,cnp->npd", kernel, read).flatten(1) + embedding.bias
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)


@pytest.mark.parametrize("way", ["torch", "sparse graph", "dense graph"])
def test_parts_of_points_equal_those_of_whole_embeddings_to_a_millionth(way: str) -> None:
    network = lively_network(points=POINTS)
    pictures = np.random.default_rng(2).integers(0, 256, (2, SIZE[1], SIZE[0], 3), np.uint8)
    maps = (
        TorchEngine(network, device="cpu")(pictures)
        if way == "torch"
        else graph_maps(network, pictures, sparse=way == "sparse graph")
    )
    boxes = np.array([[20, 10, 50, 90], [60, 30, 80, 70], [-9, -9, 140, 120]], np.float32)
    cells = point_cells(boxes, POINTS, SIZE[1] // STRIDES[FINEST], SIZE[0] // STRIDES[FINEST])
    whole = maps.embeddings(
        FINEST, np.ones(cells.rows.size, np.int64), cells.rows.ravel(), cells.columns.ravel()
    ).reshape(len(boxes), POINTS, 4, POINTS, -1)
    parts = [
        (whole[:, point, :, point] * cells.shares[:, point, :, None]).sum(axis=1)
        for point in range(POINTS)
    ]
    np.testing.assert_allclose(
        to_unit(maps.point_embeddings(FINEST, 1, cells)),
        to_unit(np.concatenate(parts, axis=1)),
        atol=1e-6,
    )


def graph_maps(network: JDENet, pictures: np.ndarray, *, sparse: bool) -> GraphHeadMaps:
    """Return what a runtime hands out of an exported graph."""
    graph = HeadMapsGraph(network, sparse=sparse)
    with torch.no_grad():
        answers = [each.numpy() for each in graph(torch.from_numpy(pictures))]
    return GraphHeadMaps(
        dict(zip(graph.output_names, answers, strict=True)), graph.constant_arrays()
    )


def test_boxes_given_and_boxes_found_have_the_same_embedding() -> None:
    network = lively_network(points=POINTS)
    detector = Detector(TorchEngine(network, device="cpu"), network.config, PostProcessing())
    image = np.random.default_rng(1).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    seen = detector(image)
    inside = seen.boxes[:, :2].min(axis=1) > 0
    assert inside.sum() > 5
    given = detector.embed(image, seen.boxes[inside])
    np.testing.assert_allclose(given, seen.embeddings[inside], atol=1e-4)
    rows, embeddings = detector.embed_every_level(image, seen.boxes[inside])
    assert len(np.unique(rows)) == len(rows) > 0, "each box counts once"
    np.testing.assert_allclose(embeddings, given[rows], atol=1e-5)


def test_a_picture_of_nobody_has_no_embeddings() -> None:
    network = lively_network(points=POINTS)
    strict = PostProcessing(min_score=1.0)
    detector = Detector(TorchEngine(network, device="cpu"), network.config, strict)
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    assert detector(image).embeddings.shape == (0, network.config.embedding_dim)
    assert detector.embed(image, np.zeros((0, 4), np.float32)).shape == (0, 128)
    assert [
        len(part) for part in detector.embed_every_level(image, np.zeros((0, 4), np.float32))
    ] == [0, 0]


def test_points_must_divide_the_embedding_and_only_our_files_hold_them(tmp_path: Path) -> None:
    config = find_preset("jde-nano")
    for points in (3, -8):
        with pytest.raises(InputError, match="appearance_points must be 0 or divide"):
            replace(config, appearance_points=points)
    assert "appearance_points" not in config.to_json()
    network = lively_network(points=POINTS)
    checkpoint = Checkpoint(config=network.config, network=network.state_dict())
    with pytest.raises(InputError, match=r"only \.safetensors files can hold an embedding"):
        write_weights(tmp_path / "a-128x96.pt", checkpoint)
