from abc import abstractmethod
from collections.abc import Iterator

from jde.structures.closing import Closing
from jde.structures.frame import Frame
from jde.structures.letterbox import Size


class VideoSource(Closing):
    """Frames in the order of time; each iteration starts anew unless the source is live.

    Attributes:
        name: Short name, good for a file or folder of results.
        origin: What was opened, without passwords.
        frame_rate: Frames per second, as far as the source says.
        size: Width and height of the upright picture.
        length: Number of frames the source claims to hold; None if it doesn't say or never ends.
        live: Frames arrive by the clock and are skipped when nobody takes them in time.
        losses: What could not be read so far, one sentence each.
    """

    live = False

    def __init__(
        self, name: str, origin: str, *, frame_rate: float, size: Size, length: int | None
    ) -> None:
        self.name = name
        self.origin = origin
        self.frame_rate = frame_rate
        self.size = size
        self.length = length
        self.losses: list[str] = []

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""

    def close(self) -> None:
        """Let go of the device or connection."""
