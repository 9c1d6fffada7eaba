"""The border to the runtimes of exported networks."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from jde.engines.model_card import ModelCard
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

Arrays = Mapping[str, np.ndarray]


@runtime_checkable
class GraphRuntime(Protocol):
    """Runs an exported graph: pictures to named arrays."""

    @property
    def name(self) -> str:
        """Name of the runtime and the precision, for reports."""
        ...

    @property
    def card(self) -> ModelCard:
        """What the file says about itself."""
        ...

    @property
    def input_size(self) -> Size:
        """Width and height of the pictures it takes."""
        ...

    @property
    def streams(self) -> int:
        """Calls of `run` that may be made at the same time, from a thread each."""
        ...

    @property
    def takes_any_size(self) -> bool:
        """Whether it takes pictures of other sizes, too: of sides that are multiples of 32."""
        ...

    @property
    def constants(self) -> Arrays:
        """Outputs that don't depend on the pictures; none where embeddings are dense."""
        ...

    def run(self, images: UInt8[np.ndarray, "n h w 3"]) -> Arrays:
        """Return the outputs for RGB pictures of one size that it takes."""
        ...


def choose_size(card: ModelCard, fixed: Size | None, asked: Size | None, origin: str) -> Size:
    """Return the input size to run a graph at.

    Args:
        card: Of the file.
        fixed: The only size the graph takes, or None.
        asked: What the caller wants, or None.
        origin: Name of the file.

    Raises:
        InputError: The graph can't take the size that was asked for.
    """
    if fixed is None:
        return asked or card.config.input_size
    if asked is not None and asked != fixed:
        raise InputError(
            f"{origin}: exported for pictures of {fixed[0]}x{fixed[1]} only, not "
            f"{asked[0]}x{asked[1]}: export it with --dynamic-size"
        )
    return fixed
