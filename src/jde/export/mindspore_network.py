"""An ONNX graph of head maps as a network of MindSpore. Needs the package `mindspore`."""

from collections.abc import Callable
from typing import Any

import mindspore
import numpy as np
import onnx
from mindspore import nn, ops

from jde.structures.errors import InputError

Attributes = dict[str, Any]
Constants = list[np.ndarray]
"""Inputs of an operator that are no activations, in order."""


class OperatorChain(nn.Cell):
    """Runs operators one after the other.

    Args:
        steps: One cell for each operator.
        sources: For each, which earlier values it reads; 0 is the input, -1 nothing.
        outputs: Which values are returned.
    """

    def __init__(
        self, steps: list[Any], sources: list[tuple[int, int]], outputs: list[int]
    ) -> None:
        super().__init__()
        self.steps = nn.CellList(steps)
        self.sources = tuple(sources)
        self.outputs = tuple(outputs)

    # MindSpore compiles the source text of `construct`, which takes few constructs of Python.
    def construct(self, images: Any) -> Any:
        """Return the outputs for 8-bit pictures (n, h, w, 3)."""
        values = (images,)
        for place in range(len(self.sources)):
            first, second = self.sources[place]
            step = self.steps[place]
            if second < 0:  # noqa: SIM108 (MindSpore must drop a branch when it compiles)
                answer = step(values[first])
            else:
                answer = step(values[first], values[second])
            values = (*values, answer)  # type: ignore[assignment]
        found = ()
        for place in self.outputs:
            found = (*found, values[place])  # type: ignore[assignment]
        return found


def to_mindspore(file: bytes) -> OperatorChain:
    """Return an ONNX graph whose shapes are all numbers as a network of MindSpore.

    Raises:
        InputError: It holds an operator that no head maps need.
    """
    graph = onnx.load_from_string(file).graph
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    places = {graph.input[0].name: 0}
    steps, sources = [], []
    for number, node in enumerate(graph.node, start=1):
        if node.op_type not in OPERATORS:
            raise InputError(f"MINDIR: operator {node.op_type} is not translated")
        read = [places[name] for name in node.input if name in places]
        fixed = [constants[name] for name in node.input if name in constants]
        attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        steps.append(OPERATORS[node.op_type](attributes, fixed))
        sources.append((read[0], read[1] if len(read) > 1 else -1))
        places[node.output[0]] = number
    return OperatorChain(steps, sources, [places[output.name] for output in graph.output])


def convolution(attributes: Attributes, constants: Constants) -> Any:
    """Return a convolution with a bias."""
    kernel, bias = constants
    top, left, bottom, right = attributes["pads"]
    groups = attributes["group"]
    return nn.Conv2d(
        kernel.shape[1] * groups,
        kernel.shape[0],
        kernel.shape[2:],
        tuple(attributes["strides"]),
        "pad",
        (top, bottom, left, right),
        group=groups,
        has_bias=True,
        weight_init=mindspore.Tensor(kernel),
        bias_init=mindspore.Tensor(bias),
    )


class Applied(nn.Cell):
    """A function of MindSpore with all but its activations filled in."""

    def __init__(self, function: Callable[..., Any], *settings: Any) -> None:
        super().__init__()
        self.function, self.settings = function, settings

    def construct(self, first: Any) -> Any:
        """Return the function's answer."""
        return self.function(first, *self.settings)


class Sum(nn.Cell):
    """Adds."""

    def construct(self, first: Any, second: Any) -> Any:
        """Return the sum."""
        return first + second


class Beside(nn.Cell):
    """Lays channels beside one another."""

    def construct(self, first: Any, second: Any) -> Any:
        """Return the channels of both."""
        return ops.concat((first, second), 1)


class Enlarged(nn.Cell):
    """Repeats every cell of a map as often as it grows."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def construct(self, maps: Any) -> Any:
        """Return the larger map."""
        height, width = maps.shape[2] * self.scale, maps.shape[3] * self.scale
        return ops.ResizeNearestNeighbor((height, width))(maps)


class Cut(nn.Cell):
    """Takes a range of one axis."""

    def __init__(self, start: int, end: int, axis: int) -> None:
        super().__init__()
        self.start, self.end, self.axis = start, end, axis

    def construct(self, maps: Any) -> Any:
        """Return the range."""
        begin = [0] * len(maps.shape)
        size = list(maps.shape)
        begin[self.axis] = self.start
        size[self.axis] = min(self.end, maps.shape[self.axis]) - self.start
        return ops.slice(maps, tuple(begin), tuple(size))


def clip(_: Attributes, constants: Constants) -> Any:
    """Return the activation of the compact networks."""
    assert [float(bound) for bound in constants] == [0, 6]
    return nn.ReLU6()


def pad(_: Attributes, constants: Constants) -> Any:
    """Return a border of zeros."""
    half = len(constants[0]) // 2
    sides = [(int(constants[0][axis]), int(constants[0][axis + half])) for axis in range(half)]
    return nn.Pad(tuple(sides))


OPERATORS: dict[str, Callable[[Attributes, Constants], Any]] = {
    "Add": lambda *_: Sum(),
    "Cast": lambda *_: Applied(ops.cast, mindspore.float32),
    "Clip": clip,
    "Concat": lambda *_: Beside(),
    "Conv": convolution,
    "Div": lambda _, constants: Applied(ops.div, float(constants[0])),
    "LeakyRelu": lambda attributes, _: nn.LeakyReLU(attributes["alpha"]),
    "Pad": pad,
    "Relu": lambda *_: nn.ReLU(),
    "Reshape": lambda _, constants: Applied(ops.reshape, tuple(map(int, constants[0]))),
    "Resize": lambda _, constants: Enlarged(int(constants[-1][-1])),
    "Slice": lambda _, constants: Cut(*(int(each[0]) for each in constants[:3])),
    "Transpose": lambda attributes, _: Applied(ops.transpose, tuple(attributes["perm"])),
}
"""From attributes and constants of ONNX operators to cells: what head maps consist of."""
