import time
from dataclasses import dataclass


@dataclass(slots=True)
class Clock:
    """When the run started, in the time it has really run, and wrote its last checkpoint."""

    start: float
    checkpoint: float

    def minutes(self) -> float:
        """Return how long the run has run."""
        return (time.monotonic() - self.start) / 60

    def since_checkpoint(self) -> float:
        """Return the minutes since the last checkpoint."""
        return (time.monotonic() - self.checkpoint) / 60
