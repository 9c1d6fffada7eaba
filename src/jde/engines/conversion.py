"""A network in PyTorch to the same network in OpenVINO, in memory."""

import copy
from importlib.util import find_spec
from typing import Any

from jde.engines.head_maps_graph import HeadMapsGraph
from jde.engines.model_card import ModelCard
from jde.engines.onnx_conversion import to_onnx
from jde.engines.openvino_runtime import OpenVinoRuntime, import_openvino, write_card
from jde.engines.parallelism import ALL_FOR_ONE, Parallelism
from jde.model.network import JDENet


def can_convert() -> bool:
    """Return whether the packages are here that run a network's weights in OpenVINO."""
    return find_spec("openvino") is not None and find_spec("onnx") is not None


def to_openvino(onnx_file: bytes, card: ModelCard) -> Any:
    """Return an ONNX file in memory as an OpenVINO graph with its card.

    Raises:
        MissingExtraError: OpenVINO isn't installed.
    """
    openvino = import_openvino("running a network in OpenVINO")
    graph = openvino.Core().read_model(onnx_file)
    write_card(graph, card)
    return graph


def run_in_openvino(
    network: JDENet,
    *,
    device: str = "auto",
    precision: str = "auto",
    parallelism: Parallelism = ALL_FOR_ONE,
) -> OpenVinoRuntime:
    """Return a runtime with a network whose embeddings are computed at the asked cells only.

    Args:
        network: Copied.
        device: `cpu`, or a device of OpenVINO such as `gpu`.
        precision: `auto`, `float32` or `bfloat16`.
        parallelism: Threads of the network, and pictures side by side.
    """
    graph = HeadMapsGraph(copy.deepcopy(network), sparse=True)
    file = to_onnx(
        graph,
        graph.output_names,
        size=network.config.input_size,
        dynamic_batch=False,
        dynamic_size=True,
    )
    card = ModelCard(config=network.config)
    return OpenVinoRuntime(
        to_openvino(file, card),
        origin="network",
        device=device,
        precision=precision,
        parallelism=parallelism,
    )
