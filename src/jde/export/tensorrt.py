"""A network to a TensorRT plan, built for the GPU of this machine."""

from pathlib import Path
from typing import Any

import numpy as np

from jde.engines.model_card import IMAGES, ModelCard
from jde.engines.tensorrt_plan import PlanFile, write_plan_file
from jde.engines.tensorrt_runtime import choose_gpu, import_tensorrt
from jde.export.writing import drafts
from jde.structures.errors import InputError

MAX_BATCH = 8
"""Pictures that a plan takes at once; it is tuned for one."""


def write_tensorrt(
    path: Path, file: bytes, card: ModelCard, constants: dict[str, np.ndarray]
) -> None:
    """Build a plan from an ONNX graph and write it with its card.

    Args:
        path: File to write.
        file: ONNX graph for any number of pictures, in the number types to compute in: TensorRT
            takes them from the graph, 16 bits as well as quantisation.
        card: What the file says about itself.
        constants: Outputs that don't depend on the pictures.

    Raises:
        InputError: There is no GPU, or TensorRT doesn't take the graph.
        MissingExtraError: TensorRT or the CUDA bindings aren't installed.
    """
    tensorrt, cuda = import_tensorrt("building a TensorRT plan")
    choose_gpu(cuda, "auto")
    content = PlanFile(
        card=card,
        version=tensorrt.__version__,
        plan=build_plan(tensorrt, file, card, path),
        constants=constants,
    )
    with drafts(path) as (draft,):
        write_plan_file(draft, content)


def build_plan(tensorrt: Any, file: bytes, card: ModelCard, path: Path) -> bytes:
    """Return a serialised engine for an ONNX graph.

    Raises:
        InputError: TensorRT doesn't take the graph; the message is its own.
    """
    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    builder = tensorrt.Builder(logger)
    strongly_typed = 1 << int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(strongly_typed)
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse(file):
        reasons = [parser.get_error(place).desc() for place in range(parser.num_errors)]
        raise InputError(f"{path}: TensorRT doesn't take the graph: {'; '.join(reasons)}")
    width, height = card.config.input_size
    least, most = (1, height, width, 3), (MAX_BATCH, height, width, 3)
    profile = builder.create_optimization_profile()
    profile.set_shape(IMAGES, least, least, most)
    config = builder.create_builder_config()
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise InputError(f"{path}: TensorRT could not build a plan; its log says why")
    return bytes(plan)
