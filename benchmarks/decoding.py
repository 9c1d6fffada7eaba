"""Head maps to detections: our way against decoding every anchor first.

    python benchmarks/decoding.py --size 1088 608 --candidates 200

Both get the same head maps of DarkNet-53: people at random places, two or three neighbouring cells
of each above the threshold, as a trained network leaves them. Theirs decodes every anchor into a
row of 518 numbers, then applies the threshold (`published_step.py`). Ours applies it to the logits
and decodes what is left; embeddings are gathered from the dense map, or computed at the cells that
were kept, which then replaces a twelfth of the network. All must agree. One thread.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from jde.benchmarking.stages import score_of_candidate
from jde.benchmarking.timing import measure_in_turn
from jde.engines.graph_engine import GraphHeadMaps
from jde.engines.model_card import CONSTANT_OUTPUTS, DENSE, MAP_OUTPUTS, ROUTE, at
from jde.model.config import STRIDES, ModelConfig
from jde.model.detector import Detector
from jde.model.head_maps import HeadMaps
from jde.model.joint_head import ANCHORS_PER_LEVEL, LevelOutput
from jde.model.post_processing import PostProcessing
from jde.model.presets import darknet53
from jde.structures.detections import Detections
from jde.structures.letterbox import Letterbox, Size
from published_step import finish

ROUTES = (512, 256, 128)
"""Channels that the embedding convolution of each level reads."""


NEIGHBOURS = (((0, 0), (0, 1)), ((0, 0), (0, 1), (1, 0)))
"""Cells that see the same person, in turn: two, three, two, ..."""

CELLS_PER_PERSON = 2.5


class CrowdMaps:
    """Head maps of a picture with so many anchors above the threshold, dense and sparse."""

    def __init__(self, config: ModelConfig, candidates: int) -> None:
        rng = np.random.default_rng(candidates)
        people = round(candidates / CELLS_PER_PERSON / len(STRIDES))
        self.outputs: list[LevelOutput] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.kernels: dict[str, np.ndarray] = {}
        for stride, channels, anchors in zip(STRIDES, ROUTES, config.anchors, strict=True):
            height, width = config.input_size[1] // stride, config.input_size[0] // stride
            kernel = rng.normal(0, 0.02, (config.embedding_dim, channels, 3, 3)).astype(np.float32)
            route = rng.normal(size=(1, channels, height, width)).astype(np.float32)
            shape = (1, ANCHORS_PER_LEVEL, 4, height, width)
            deltas = rng.normal(0, 0.3, shape).astype(np.float32)
            logits = rng.normal(0, 0.3, (*shape[:2], 2, height, width)).astype(np.float32)
            self.put_people(rng, people, np.array(anchors), stride, deltas, logits)
            dense = torch.nn.functional.conv2d(*map(torch.from_numpy, (route, kernel)), padding=1)
            self.outputs.append(
                LevelOutput(torch.from_numpy(deltas), torch.from_numpy(logits), dense)
            )
            self.add(stride, deltas, logits, route, kernel)

    def put_people(
        self,
        rng: np.random.Generator,
        people: int,
        anchors: np.ndarray,
        stride: int,
        *maps: np.ndarray,
    ) -> None:
        """Let neighbouring cells of one level see the same boxes."""
        deltas, logits = maps
        height, width = deltas.shape[3:]
        for person in range(people):
            kind = rng.integers(ANCHORS_PER_LEVEL)
            row, column = rng.integers(height - 1), rng.integers(width - 1)
            for down, across in NEIGHBOURS[person % len(NEIGHBOURS)]:
                place = (0, kind, slice(None), row + down, column + across)
                back = -np.array([across, down]) * stride / anchors[kind]
                deltas[place] = [*back, *rng.normal(0, 0.05, 2)]
                logits[place] = [-2, 2 + rng.random()]

    def add(self, stride: int, *maps: np.ndarray) -> None:
        """Keep the maps of one level under the names of exported graphs."""
        deltas, logits, route, kernel = maps
        boxes, objectness = MAP_OUTPUTS
        self.arrays[at(boxes, stride)] = deltas
        self.arrays[at(objectness, stride)] = logits
        self.arrays[at(ROUTE, stride)] = np.ascontiguousarray(route.transpose(0, 2, 3, 1))
        flat = kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel))
        matrix, bias = CONSTANT_OUTPUTS
        self.kernels[at(matrix, stride)] = np.ascontiguousarray(flat)
        self.kernels[at(bias, stride)] = np.zeros(len(kernel), np.float32)

    def sparse(self) -> GraphHeadMaps:
        """Return the maps of an engine that computes embeddings at the asked cells only."""
        return GraphHeadMaps(self.arrays, self.kernels)

    def dense(self) -> GraphHeadMaps:
        """Return the maps of an engine that computes every embedding."""
        embeddings = {
            at(DENSE, stride): output.embeddings.numpy()
            for stride, output in zip(STRIDES, self.outputs, strict=True)
        }
        return GraphHeadMaps(self.arrays | embeddings, {})


class NoEngine:
    """Stands where the network would be: the maps are there already."""

    name = "none"
    streams = 1
    takes_any_size = False

    def __init__(self, input_size: Size) -> None:
        self.input_size = input_size

    def __call__(self, images: np.ndarray) -> HeadMaps:
        """Refuse."""
        raise NotImplementedError


def main() -> None:
    """Compare and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs=2, default=(1088, 608))
    parser.add_argument("--candidates", type=int, nargs="+", default=[50, 200, 1000])
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = darknet53((options.size[0], options.size[1]))
    print("candidates  kept   every anchor first   gathered [ms]   computed at kept cells [ms]")
    with threadpool_limits(1, "blas"):
        for candidates in options.candidates:
            print(row(config, candidates, options.rounds))


def row(config: ModelConfig, candidates: int, rounds: int) -> str:
    """Return a row of the table."""
    maps = CrowdMaps(config, candidates)
    dense, sparse = maps.dense(), maps.sparse()
    least = score_of_candidate(dense, candidates)
    unscaled = Letterbox.fit(config.input_size, config.input_size)
    settings = replace(PostProcessing(), min_score=least)
    ours = Detector(NoEngine(config.input_size), config, settings)
    actions: dict[str, Callable[[], Detections]] = {
        "theirs": lambda: finish(maps.outputs, config, unscaled, least),
        "gathered": lambda: ours.detect(dense, 0, unscaled),
        "computed": lambda: ours.detect(sparse, 0, unscaled),
    }
    check({name: action() for name, action in actions.items()})
    times = measure_in_turn(actions, rounds=rounds)
    base = times["theirs"].processor
    shown = [
        f"{times[name].processor:8.3f} = {base / times[name].processor:4.0f}x"
        for name in ("gathered", "computed")
    ]
    kept = len(ours.detect(dense, 0, unscaled))
    return f"{candidates:10d} {kept:5d} {base:20.1f}   {'   '.join(shown)}"


def check(found: dict[str, Detections]) -> None:
    """Stop where the ways don't agree."""
    expected = found["theirs"]
    for name, detections in found.items():
        same = (
            np.allclose(detections.boxes, expected.boxes, atol=1e-3)
            and np.allclose(detections.scores, expected.scores, atol=1e-6)
            and np.allclose(detections.embeddings, expected.embeddings, atol=1e-5)
        )
        if not same:
            sys.exit(f"{name} finds other people than the authors' way")


if __name__ == "__main__":
    main()
