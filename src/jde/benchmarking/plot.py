from pathlib import Path

from jde.benchmarking.report import Report
from jde.structures.errors import MissingExtraError


def write_plot(report: Report, path: Path) -> None:
    """Write a picture of a report: every stage, and the tracker against the people about.

    Raises:
        MissingExtraError: matplotlib isn't installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train", "drawing the plot") from error
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    bars, curve = figure.subplots(1, 2, width_ratios=[3, 2])
    stages = dict(reversed(report.stages.items()))
    medians = [timing.median for timing in stages.values()]
    spread = [
        [timing.median - timing.p10 for timing in stages.values()],
        [timing.p90 - timing.median for timing in stages.values()],
    ]
    bars.barh(list(stages), medians, xerr=spread, color="#4878a8", ecolor="#222222", capsize=3)
    bars.set(xscale="log", xlabel="ms (median; p10 to p90)", title=report.settings["network"])
    people = list(report.tracker)
    curve.plot(people, [timing.median for timing in report.tracker.values()], "o-", color="#b85c38")
    curve.set(xlabel="people about", ylabel="ms for a frame", title="tracker", xlim=(0, None))
    curve.set_ylim(bottom=0)
    curve.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
