import logging
import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from jde.structures.closing import Closing

logger = logging.getLogger(__name__)

QUIET_SECONDS = 30.0
"""Between two lines where nobody watches a terminal."""


class ProgressLine(Closing):
    """Epoch, losses, learning rate, speed and time left: a live line, or log lines now and then."""

    def __init__(self, steps: int, done: int, *, visible: bool = True) -> None:
        """Make the line of a run of `steps` steps of which `done` are over."""
        console = Console(stderr=True)
        self._live = visible and console.is_terminal
        self._visible = visible
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self._live,
        )
        self._task = self._progress.add_task("starting", total=steps, completed=done)
        self._steps, self._last = steps, 0.0
        self._start, self._start_step = time.monotonic(), done
        self._progress.start()

    def close(self) -> None:
        """Leave the line as it is."""
        self._progress.stop()

    def show(self, step: int, epoch: int, numbers: Mapping[str, float]) -> None:
        """Tell how far the run is and what the last steps gave."""
        text = describe(epoch, numbers)
        self._progress.update(self._task, completed=step, description=text)
        now = time.monotonic()
        if self._visible and not self._live and now - self._last >= QUIET_SECONDS:
            self._last = now
            pace = (now - self._start) / max(step - self._start_step, 1)
            left = (self._steps - step) * pace / 60
            logger.info("step %d/%d, %s, %.0f min left", step, self._steps, text, left)


def describe(epoch: int, numbers: Mapping[str, float]) -> str:
    """Return the numbers of a log entry in one short line."""
    return (
        f"epoch {epoch}: loss {numbers['total']:.3g} (box {numbers['box']:.3g}, "
        f"objectness {numbers['objectness']:.3g}, identity {numbers['identity']:.3g}), "
        f"lr {numbers['learning_rate']:.2g}, {numbers['images_per_second']:.1f} images/s"
    )
