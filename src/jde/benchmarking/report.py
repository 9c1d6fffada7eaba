from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jde.benchmarking.end_to_end import WholeRun
from jde.benchmarking.machine import is_disturbed
from jde.benchmarking.timing import Timing


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Everything that one benchmark measured.

    Attributes:
        machine: What it ran on.
        settings: What was asked for.
        stages: Each stage alone.
        tracker: One step of the tracker, by the number of people about.
        runs: The whole path, by what it writes.
        notes: What was left out, and why.
    """

    machine: dict[str, Any]
    settings: dict[str, Any]
    stages: dict[str, Timing]
    tracker: dict[int, Timing]
    runs: dict[str, WholeRun]
    notes: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what goes into a JSON file."""
        return asdict(self)

    def table(self) -> str:
        """Return what a reader wants to see, in aligned columns."""
        steps = {f"tracker, {people} people": each for people, each in self.tracker.items()}
        rows = {**self.stages, **steps}
        width = max(map(len, [*rows, *self.runs]))
        lines = [
            f"{'each stage alone, ms':<{width}}   median      p10      p90   all cores",
            *(stage_line(name.ljust(width), timing) for name, timing in rows.items()),
            "",
            "end to end, stages overlapping",
            *(run_line(name.ljust(width), run) for name, run in self.runs.items()),
        ]
        return "\n".join([*self.headline(), "", *lines, *self.remarks()])

    def headline(self) -> list[str]:
        """Return what was measured on what."""
        machine = self.machine
        instructions = " ".join(machine["instructions"]) or "no notable instructions"
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
        gpu = f", {machine['gpu']}" if machine["gpu"] else ""
        size = f"{machine['cores']} cores{gpu}, {machine['memory_gib']} GiB"
        return [
            f"{self.settings['network']}, video {self.settings['video']}",
            f"{machine['processor']}, {size}, {instructions}",
            versions,
        ]

    def remarks(self) -> list[str]:
        """Return the notes, and a warning where the machine was busy."""
        notes = list(self.notes)
        if is_disturbed(self.machine):
            notes.append(
                f"other programs were running (load {self.machine['load']}): compare the time of "
                "all cores and its ratios; rates and shares of another minute would differ"
            )
        return ["", *(f"note: {note}" for note in notes)] if notes else []


def stage_line(name: str, timing: Timing) -> str:
    """Return one row of the stages."""
    return (
        f"{name} {timing.median:8.2f} {timing.p10:8.2f} {timing.p90:8.2f} {timing.processor:11.2f}"
    )


def run_line(name: str, run: WholeRun) -> str:
    """Return one row of the whole path."""
    return (
        f"{name} {run.frames_per_second:8.1f} frames/s, {100 * run.share:.0f} % of "
        f"{run.slowest} alone, {100 * run.possible:.0f} % of what the cores allow; "
        f"{run.processor:.1f} ms of all cores a frame, {100 * run.busy:.0f} % of them used"
    )
