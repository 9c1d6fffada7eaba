"""Small charts as SVG text: no library, no files beside the report."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from jaxtyping import Float64

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 38
MAX_DOTS = 1500
TICKS = 5
ROUND_STEPS = (1, 2, 2.5, 5, 10)

Sizes = Float64[np.ndarray, "_ 2"]


class Frame:
    """Axes from zero: maps values to the chart and draws ticks and titles.

    Args:
        x_end: Greatest value across.
        y_end: Greatest value upwards.
        x_title: What is shown across.
        y_title: What is shown upwards.
    """

    def __init__(self, x_end: float, y_end: float, x_title: str, y_title: str) -> None:
        self._x_end, self._y_end = max(x_end, 1e-9), max(y_end, 1e-9)
        self._x_title, self._y_title = x_title, y_title

    def x(self, value: float) -> float:
        """Return where a value stands from the left."""
        return LEFT + value / self._x_end * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return where a value stands from the top."""
        return HEIGHT - BOTTOM - value / self._y_end * (HEIGHT - TOP - BOTTOM)

    def drawing(self, marks: Sequence[str]) -> str:
        """Return the chart with the given marks in it."""
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(self._y_title)} by {escape(self._x_title)}">'
            f"{''.join(self._axes())}{''.join(marks)}</svg>"
        )

    def _axes(self) -> Iterator[str]:
        bottom = HEIGHT - BOTTOM
        for value in ticks(self._x_end):
            x = self.x(value)
            yield f'<text class="tick" x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">'
            yield f"{value:g}</text>"
        for value in ticks(self._y_end):
            y = self.y(value)
            yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
            yield f'<text class="tick" x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">'
            yield f"{value:,g}</text>"
        yield f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" '
        yield f'text-anchor="middle">{escape(self._x_title)}</text>'


def ticks(end: float) -> list[float]:
    """Return round values from 0 to `end`."""
    rough = end / TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(float(power * factor) for factor in ROUND_STEPS if power * factor >= rough * 0.999)
    return [float(value) for value in np.arange(0, end + step / 1000, step)]


def histogram(
    values: Float64[np.ndarray, " n"], *, bins: int, x_title: str, markers: Sequence[float] = ()
) -> str:
    """Return how often values occur, with dashed lines at `markers`."""
    end = float(max([1.0, *values.tolist()]))
    counts, edges = np.histogram(values, bins=bins, range=(0, end))
    frame = Frame(end, float(counts.max()), x_title, "number")
    bars = [
        f'<rect class="bar" x="{frame.x(first) + 0.5:.1f}" y="{frame.y(count):.1f}" '
        f'width="{max(frame.x(last) - frame.x(first) - 1, 0.5):.1f}" '
        f'height="{frame.y(0.0) - frame.y(count):.1f}"/>'
        for count, first, last in zip(
            counts.astype(float).tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True
        )
        if count
    ]
    lines = [
        f'<line class="marker" x1="{frame.x(one):.1f}" y1="{TOP}" x2="{frame.x(one):.1f}" '
        f'y2="{HEIGHT - BOTTOM}"/>'
        for one in markers
        if one <= end
    ]
    return frame.drawing([*bars, *lines])


def size_scatter(sizes: Sizes, anchors: Sizes, suggestion: Sizes) -> str:
    """Return widths against heights of boxes, under the two sets of anchors."""
    end = 1.05 * np.concatenate([sizes, anchors]).max(axis=0)
    frame = Frame(float(end[0]), float(end[1]), "width, pixels in the network", "height")
    step = max(len(sizes) // MAX_DOTS, 1)
    dots = [
        f'<circle class="dot" cx="{frame.x(width):.1f}" cy="{frame.y(height):.1f}" r="1.6"/>'
        for width, height in sizes[::step].tolist()
    ]
    return frame.drawing(
        [*dots, *_crosses(frame, anchors, "anchor"), *_crosses(frame, suggestion, "suggestion")]
    )


def _crosses(frame: Frame, anchors: Sizes, kind: str) -> Iterator[str]:
    for width, height in anchors.tolist():
        x, y = frame.x(width), frame.y(height)
        yield (
            f'<path class="{kind}" d="M{x - 5:.1f} {y:.1f}h10M{x:.1f} {y - 5:.1f}v10">'
            f"<title>{width:.0f} x {height:.0f}</title></path>"
        )
