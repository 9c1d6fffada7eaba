"""What is compared: engines that all run the same network."""

from dataclasses import dataclass, field

from jde.engines.parallelism import Parallelism, Streams
from jde.model.config import ModelConfig
from jde.model.head_maps import Engine
from jde.structures.letterbox import Size


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What to compare.

    Attributes:
        weights: Name, weight file or exported file.
        preset: Configuration to fill with random weights instead.
        engines: Such as `torch`, `torch:bfloat16`, `torch-compiled`, `aotinductor`, `openvino`,
            `openvino:float32`, `onnx`; `openvino:int8` and `onnx:int8` are calibrated on drawn
            pictures: for speed alone.
        size: Width and height of the network's input; that of the weights where not given.
        threads: Of the network; all cores where not given.
        streams: Pictures that OpenVINO and ONNX Runtime work on side by side; the others take one.
        device: Where PyTorch runs.
    """

    weights: str = "jde-nano"
    preset: str | None = None
    engines: tuple[str, ...] = ("openvino", "torch")
    size: Size | None = None
    threads: int | None = None
    streams: Streams = 1
    device: str = "auto"

    @property
    def parallelism(self) -> Parallelism:
        """Threads and streams together."""
        return Parallelism(self.threads, self.streams)


@dataclass(frozen=True, slots=True)
class Contestants:
    """Engines by what they are called in the report; the first one is our choice here.

    Attributes:
        engines: They run the same network.
        config: What the network is.
        notes: Which wishes could not be met, and why.
    """

    engines: dict[str, Engine]
    config: ModelConfig
    notes: list[str] = field(default_factory=list)
