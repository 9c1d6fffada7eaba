"""What an exported file says about itself, and the names inside its graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from jde.imaging.letterboxing import PADDING_COLOUR
from jde.model.config import STRIDES, ModelConfig
from jde.structures.errors import InputError

FORMAT_VERSION = "1"
PREFIX = "jde."
"""Start of the keys in the metadata of an ONNX file."""

IMAGES = "images"
BOXES, SCORES, EMBEDDINGS, CLASSES = "boxes", "scores", "embeddings", "classes"
MAP_OUTPUTS = ("box_deltas", "objectness")
ROUTE, DENSE = "route", "embeddings"
CONSTANT_OUTPUTS = ("embedding_kernel", "embedding_bias")

Outputs = Literal["maps", "detections"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCard:
    """Everything beside the graph that is needed to use an exported file.

    Attributes:
        config: Of the network; its input size is the one to use where the graph allows several.
        outputs: Head maps, which our own code decodes, or finished detections.
        precision: Of the arithmetic: `float32` or `int8`.
        max_overlap: Overlap beyond which finished detections were suppressed.
    """

    config: ModelConfig
    outputs: Outputs = "maps"
    precision: str = "float32"
    max_overlap: float = 0.4

    def to_entries(self) -> dict[str, str]:
        """Return the metadata of a file, all as text."""
        return {
            "format_version": FORMAT_VERSION,
            "config": self.config.to_json(),
            "outputs": self.outputs,
            "precision": self.precision,
            "max_overlap": repr(self.max_overlap),
            "letterbox_colour": str(PADDING_COLOUR),
            "input": "uint8 RGB, rows of pixels (n, height, width, 3), divided by 255 inside",
        }

    @classmethod
    def from_entries(cls, entries: Mapping[str, str], origin: str) -> "ModelCard":
        """Return the card that `to_entries` wrote.

        Raises:
            InputError: The file was not exported by jde, or by a later version.
        """
        if "config" not in entries:
            raise InputError(
                f"{origin}: a network that 'jde export' didn't write: export it from its weights"
            )
        if entries.get("format_version") != FORMAT_VERSION:
            raise InputError(
                f"{origin}: export format {entries.get('format_version')} is newer than this jde "
                f"knows ({FORMAT_VERSION}): upgrade jde"
            )
        if entries.get("outputs") not in get_args(Outputs):
            raise InputError(f"{origin}: unknown kind of outputs {entries.get('outputs')!r}")
        try:
            return cls(
                config=ModelConfig.from_json(entries["config"]),
                outputs=cast("Outputs", entries["outputs"]),
                precision=entries.get("precision", "float32"),
                max_overlap=float(entries.get("max_overlap", "nan")),
            )
        except ValueError as error:
            raise InputError(f"{origin}: {error}") from error


def at(name: str, stride: int) -> str:
    """Return the name of an output of the level with this stride."""
    return f"{name}_{stride}"


def map_names(*, sparse: bool) -> list[str]:
    """Return the outputs of a graph of head maps, in order, without its constants."""
    last = ROUTE if sparse else DENSE
    return [at(name, stride) for stride in STRIDES for name in (*MAP_OUTPUTS, last)]


def constant_names() -> list[str]:
    """Return the outputs that hold the embedding convolutions, the same for every picture."""
    return [at(name, stride) for stride in STRIDES for name in CONSTANT_OUTPUTS]
