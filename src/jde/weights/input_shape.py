"""Whether the network's input gets the shape of each picture."""

from dataclasses import dataclass, replace

from jde.engines.graph_runtime import GraphRuntime
from jde.model.config import CHOICES, ModelConfig, check_choice
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

AUTO = "auto"
"""Exactly a size that is asked for; else what the weights say."""


@dataclass(frozen=True, slots=True)
class InputWish:
    """What was asked of the network's input.

    Attributes:
        size: Width and height; those of the weights where not given.
        shape: `fixed`, `fitted` or `auto`.

    Raises:
        InputError: The shape is none of these.
    """

    size: Size | None
    shape: str

    def __post_init__(self) -> None:
        check_choice("shape", self.shape, (AUTO, *CHOICES["input_shape"]))

    def applied_to(self, config: ModelConfig) -> ModelConfig:
        """Return the configuration of weights with the shape that their input gets."""
        if self.shape == "fitted":
            return replace(config, input_shape="fitted")
        if self.shape == "fixed" or self.size is not None:
            return replace(config, input_shape="fixed")
        return config

    def check(self, runtime: GraphRuntime, origin: str) -> None:
        """Refuse to fit the input of a file that takes one size only.

        Raises:
            InputError: The message says which size, and what takes others.
        """
        if self.shape == "fitted" and not runtime.takes_any_size:
            width, height = runtime.input_size
            raise InputError(
                f"{origin}: takes pictures of {width}x{height} only, so its input can't be fitted "
                "to the video: export maps to .onnx or .xml with --dynamic-size, or ask for no "
                "shape"
            )
