"""Shapes that a graph computes, replaced by the numbers that they come to."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

Values = dict[str, np.ndarray]


def fold_shapes(file: bytes) -> bytes:
    """Return an ONNX graph of fixed input without the nodes that depend on shapes alone.

    Their values become constants of the graph, and all its shapes are numbers afterwards.
    """
    model = onnx.load_from_string(file)
    known: Values = {
        each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer
    }
    while True:
        model = infer(model)
        nodes = [node for node in model.graph.node if not settle(node, known, model)]
        settled = len(model.graph.node) - len(nodes)
        store(model, nodes, known)
        if not settled:
            onnx.checker.check_model(model, full_check=True)
            return model.SerializeToString()


def infer(model: Any) -> Any:
    """Return a model with the shapes that follow from its input, declared ones forgotten."""
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)


def settle(node: Any, known: Values, model: Any) -> bool:
    """Add the outputs of a node to the known values where they follow from them."""
    if node.op_type == "Shape":
        shape = static_shape(node.input[0], model)
        if shape is not None:
            known[node.output[0]] = np.array(shape, np.int64)
    elif all(name in known for name in node.input if name):
        known.update(zip(node.output, evaluate(node, known, model), strict=True))
    return node.output[0] in known


def static_shape(name: str, model: Any) -> tuple[int, ...] | None:
    """Return the shape of a value of the graph, or None where it has no or open sides."""
    graph = model.graph
    for value in (*graph.value_info, *graph.input, *graph.output):
        if value.name == name and value.type.tensor_type.HasField("shape"):
            sides = value.type.tensor_type.shape.dim
            if all(side.HasField("dim_value") for side in sides):
                return tuple(side.dim_value for side in sides)
    return None


def evaluate(node: Any, known: Values, model: Any) -> Iterable[np.ndarray]:
    """Return what a node makes of known values."""
    names = [name for name in node.input if name]
    inputs = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UNDEFINED, None) for name in names
    ]
    outputs = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UNDEFINED, None)
        for name in node.output
    ]
    graph = onnx.helper.make_graph([node], "one", inputs, outputs)
    alone = onnx.helper.make_model(graph, opset_imports=model.opset_import)
    answers = ReferenceEvaluator(alone).run(None, {name: known[name] for name in names})
    return [np.asarray(answer) for answer in answers]


def store(model: Any, nodes: list[Any], known: Values) -> None:
    """Leave these nodes in a model, and of the known values those that they need."""
    used = {name for node in nodes for name in node.input}
    used |= {output.name for output in model.graph.output}
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(value, name) for name, value in known.items() if name in used
    )


def open_shapes(file: bytes) -> list[str]:
    """Return the values of a graph whose shapes are not all numbers."""
    model = infer(onnx.load_from_string(file))
    names = [name for node in model.graph.node for name in node.output]
    return [name for name in names if static_shape(name, model) is None]
