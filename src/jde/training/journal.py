"""What a run writes down while it learns: a line of numbers now and then, and a plot of them."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jde.formats.draft import replacing, writing
from jde.losses.criterion import LossParts

Entry = dict[str, Any]
PARTS = ("total", "box", "objectness", "identity")
SCORES = "scores"
"""Key of an entry that holds the scores of an evaluation instead of losses."""


@dataclass(slots=True)
class Meter:
    """Means of the losses since the last line.

    Attributes:
        count: Batches taken in.
        pictures: Their pictures.
    """

    sums: dict[str, float]
    count: int = 0
    pictures: int = 0

    @classmethod
    def empty(cls) -> "Meter":
        """Return a meter that has seen nothing."""
        return cls(dict.fromkeys(PARTS, 0.0))

    def add(self, parts: LossParts, pictures: int) -> None:
        """Take in the losses of a batch of some pictures, summed over the levels."""
        for name in PARTS:
            self.sums[name] += float(getattr(parts, name).detach().sum())
        self.count += 1
        self.pictures += pictures

    def means(self) -> dict[str, float]:
        """Return the means so far."""
        return {name: value / max(self.count, 1) for name, value in self.sums.items()}


class Journal:
    """The lines of a run in a JSON-lines file.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def rewind(self, step: int, epoch: int) -> None:
        """Forget what comes after `step` and scores from `epoch` on: the run goes on from there."""
        kept = [
            entry
            for entry in self.read()
            if entry["step"] <= step and not (SCORES in entry and entry["epoch"] >= epoch)
        ]
        with replacing(self.path) as draft:
            draft.write_text("".join(json.dumps(entry) + "\n" for entry in kept))

    def write(self, entry: Entry) -> None:
        """Add a line.

        Raises:
            OSError: It can't be written; the lines before stay as they are.
        """
        end = self.path.stat().st_size if self.path.exists() else 0
        try:
            with writing(self.path), self.path.open("a") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError:
            # Half a line would spoil the next one.
            os.truncate(self.path, end)
            raise

    def read(self) -> Iterator[Entry]:
        """Yield the complete lines."""
        if not self.path.exists():
            return
        for line in self.path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)


def plot_losses(journal: Journal, path: Path) -> None:
    """Draw the losses and the learning rate over the steps into a PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow, and needed once an epoch)

    entries = [entry for entry in journal.read() if "total" in entry]
    steps = [entry["step"] for entry in entries]
    figure = Figure(figsize=(10, 6), layout="constrained")
    for axes, name in zip(figure.subplots(2, 3).flat, (*PARTS, "learning_rate"), strict=False):
        axes.plot(steps, [entry[name] for entry in entries])
        axes.set_title(name.replace("_", " "))
        axes.set_xlabel("step")
        axes.grid(visible=True, alpha=0.3)
    figure.axes[-1].set_visible(False)
    figure.savefig(path, dpi=100)


def plot_scores(journal: Journal, path: Path) -> None:
    """Draw the scores of all evaluations over the steps into a PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (slow, and needed once an evaluation)

    entries = [entry for entry in journal.read() if SCORES in entry]
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name in entries[-1][SCORES]:
        found = [(entry["step"], entry[SCORES].get(name)) for entry in entries]
        axes.plot(*zip(*found, strict=True), marker="o", label=name)
    axes.set_title(
        "scores, on pictures that are trained on" if entries[-1]["trained_on"] else "scores"
    )
    axes.set_xlabel("step")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=100)
