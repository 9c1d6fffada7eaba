"""What a compiled engine makes of two batches, beside one that isn't compiled.

    python -m tests.compiled_engine cpu

A program of its own, since PyTorch's compiler can't look through the checks of shapes that tests
run under.
"""

import json
import sys

import numpy as np
from tests.tiny_network import SIZE, tiny_network

from jde.engines.torch_engine import TorchEngine
from jde.model.head_maps import HeadMaps


def main(device: str) -> None:
    """Print the name of the engine and the largest differences as JSON."""
    network = tiny_network()
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 256, (2, SIZE[1], SIZE[0], 3), np.uint8) for _ in range(2))
    compiled = TorchEngine(network, device=device, compiled=True)
    expected = TorchEngine(network, device=device)(first)
    maps = compiled(first)
    before = embeddings(maps)
    compiled(second)
    levels = list(zip(maps.levels, expected.levels, strict=True))
    report = {
        "name": compiled.name,
        "box_deltas": max(distance(one.box_deltas, two.box_deltas) for one, two in levels),
        "objectness": max(distance(one.objectness, two.objectness) for one, two in levels),
        "embeddings": distance(before, embeddings(expected)),
        "embeddings_after_the_next_pictures": distance(embeddings(maps), before),
    }
    sys.stdout.write(json.dumps(report))


def embeddings(maps: HeadMaps) -> np.ndarray:
    """Return the embeddings of a few cells, two of them at the border."""
    pictures, rows, columns = (np.array(axis) for axis in ([0, 1, 1], [0, 4, 11], [0, 7, 15]))
    return maps.embeddings(2, pictures, rows, columns)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest difference."""
    return float(np.abs(first - second).max())


if __name__ == "__main__":
    main(sys.argv[1])
