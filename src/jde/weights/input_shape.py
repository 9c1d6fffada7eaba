"""Whether the network's input gets the shape of each picture."""

from jde.engines.graph_runtime import GraphRuntime
from jde.model.config import InputShape, ModelConfig
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

SHAPES = ("auto", "fixed", "fitted")
"""What may be asked for; `auto` is what the weights say, but exactly a size that is asked for."""


def choose_shape(asked: str, config: ModelConfig, size: Size | None) -> InputShape:
    """Return the shape that was asked for, or what the weights say where it may be either.

    Args:
        asked: One of `SHAPES`.
        config: Of the weights.
        size: Width and height of the input that were asked for, or None.
    """
    if asked == "auto":
        return "fixed" if size is not None else config.input_shape
    return "fitted" if asked == "fitted" else "fixed"


def check_fitting(runtime: GraphRuntime, origin: str) -> None:
    """Refuse to fit the input of a file that takes one size only.

    Raises:
        InputError: The message says which size, and what takes others.
    """
    if not runtime.takes_any_size:
        width, height = runtime.input_size
        raise InputError(
            f"{origin}: takes pictures of {width}x{height} only, so its input can't be fitted to "
            "the video: export maps to .onnx or .xml with --dynamic-size, or ask for no shape"
        )
