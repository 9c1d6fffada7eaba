import colorsys
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from jde.structures.frame import Image, Picture
from jde.structures.letterbox import Size
from jde.structures.tracks import Tracks
from jde.video.canvas import Canvas, Lettering, Point
from jde.video.colours import Colour
from jde.video.traces import Traces

GOLDEN_ANGLE = 0.6180339887
"""Step of hue from one identity to the next: any few in a row lie far apart."""

SHADES = ((0.75, 1.0), (0.45, 1.0), (0.95, 0.8))
"""Saturation and value that neighbouring rounds of hue alternate between."""

REFERENCE_SIDE = 1000
"""Shorter side of a picture whose lines are three pixels wide and whose letters are 0.7 high."""

SMOOTHED = 0.5
"""How far a trace may pass beside a position, in widths of its line: long pieces draw faster."""

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


class Style(NamedTuple):
    """Sizes in pixels that suit a picture."""

    line: int
    letters: float

    @classmethod
    def of(cls, size: Size) -> "Style":
        """Return the sizes for a picture: thicker lines and larger letters on larger ones."""
        ratio = min(size) / REFERENCE_SIDE
        return cls(line=max(2, round(3 * ratio)), letters=min(max(0.7 * ratio, 0.38), 1.5))


def draw_tracks(
    image: Image,
    tracks: Tracks,
    traces: Traces | None = None,
    *,
    show_scores: bool = False,
    class_names: Sequence[str] = (),
) -> Image:
    """Return a copy of the picture with a box, a label and a trace for each track.

    Args:
        image: The frame; it stays as it is.
        tracks: Who is in it.
        traces: Where they were before, kept by the caller from frame to frame.
        show_scores: Write the confidence beside the identity.
        class_names: What the classes are called; the name is written where there are several.
    """
    picture = image.copy()
    paint_tracks(picture, tracks, traces, show_scores=show_scores, class_names=class_names)
    return picture


def paint_tracks(
    picture: Image | Picture,
    tracks: Tracks,
    traces: Traces | None = None,
    *,
    show_scores: bool = False,
    class_names: Sequence[str] = (),
) -> None:
    """Draw a box, a label and a trace for each track onto the picture itself.

    A decoded picture whose pixels nobody has asked for is drawn on in the video's own colours;
    pixels made of it later show what was drawn.
    """
    canvas = Canvas(picture)
    style = Style.of(canvas.size)
    limits = np.array([canvas.size[0] - 1, canvas.size[1] - 1] * 2, np.float32)
    corners = np.clip(np.round(tracks.boxes), 0, limits).astype(np.int64)
    # Those further away first, so that the labels of people in front stay readable.
    order = np.argsort(tracks.boxes[:, 3], kind="stable").tolist()
    if traces is not None:
        for row in order:
            _draw_trace(canvas, traces, int(tracks.ids[row]), style)
    for row in order:
        canvas.box(corners[row].tolist(), identity_colour(int(tracks.ids[row])), style.line)
    for row in order:
        left, top, _, _ = corners[row].tolist()
        identity = int(tracks.ids[row])
        words = [class_names[tracks.classes[row]]] if len(class_names) > 1 else []
        words += [str(identity), *([f"{tracks.scores[row]:.2f}"] if show_scores else [])]
        _draw_label(canvas, " ".join(words), (left, top), identity_colour(identity), style)


@lru_cache(maxsize=1024)
def identity_colour(identity: int) -> Colour:
    """Return the colour of an identity: always the same, and unlike that of its neighbours."""
    saturation, value = SHADES[identity % len(SHADES)]
    red, green, blue = colorsys.hsv_to_rgb(identity * GOLDEN_ANGLE % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw_trace(canvas: Canvas, traces: Traces, identity: int, style: Style) -> None:
    points = traces.points(identity)
    half = len(points) // 2
    colour = identity_colour(identity)
    # The older half is thinner: it shows the direction without an arrow.
    for part, thickness in ((points[: half + 1], style.line), (points[half:], style.line + 1)):
        if len(part) > 1:
            corners = cv2.approxPolyDP(part, SMOOTHED * style.line, closed=False)[:, 0]
            canvas.line(np.round(corners).astype(np.int32), colour, thickness)


def _draw_label(canvas: Canvas, text: str, place: Point, colour: Colour, style: Style) -> None:
    left, top = place
    ink = BLACK if _brightness(colour) > 128 else WHITE  # noqa: PLR2004 (middle of 8 bits)
    stamp = canvas.stamp(Lettering(text, style.letters, max(2, style.line)), colour, ink)
    wide, tall = stamp.size
    # Above the box; inside it where the picture ends.
    top = top - tall if top >= tall else top
    canvas.put(stamp, (min(left, max(canvas.size[0] - wide, 0)), top))


def _brightness(colour: Colour) -> float:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue
