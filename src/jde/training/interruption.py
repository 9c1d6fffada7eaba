import signal
from types import FrameType

from jde.structures.closing import Closing

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption(Closing):
    """Until it is closed, Ctrl-C and SIGTERM only raise a flag, so that a step is never cut in two.

    A second signal interrupts at once.

    Attributes:
        name: The signal that came, empty before.
    """

    def __init__(self) -> None:
        self.name = ""
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}

    def close(self) -> None:
        """Let signals do again what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.name:
            raise KeyboardInterrupt
        self.name = signal.Signals(number).name
