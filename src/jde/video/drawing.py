import colorsys
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from jde.structures.frame import Image
from jde.structures.tracks import Tracks
from jde.video.traces import Traces

Colour = tuple[int, int, int]
Point = tuple[int, int]

GOLDEN_ANGLE = 0.6180339887
"""Step of hue from one identity to the next: any few in a row lie far apart."""

SHADES = ((0.75, 1.0), (0.45, 1.0), (0.95, 0.8))
"""Saturation and value that neighbouring rounds of hue alternate between."""

REFERENCE_SIDE = 1000
"""Shorter side of a picture whose lines are three pixels wide and whose letters are 0.7 high."""

FONT = cv2.FONT_HERSHEY_DUPLEX
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


class Style(NamedTuple):
    """Sizes in pixels that suit a picture."""

    line: int
    letters: float

    @classmethod
    def of(cls, image: Image) -> "Style":
        """Return the sizes for a picture: thicker lines and larger letters on larger ones."""
        ratio = min(image.shape[:2]) / REFERENCE_SIDE
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
    image: Image,
    tracks: Tracks,
    traces: Traces | None = None,
    *,
    show_scores: bool = False,
    class_names: Sequence[str] = (),
) -> None:
    """Draw a box, a label and a trace for each track onto the picture itself."""
    style = Style.of(image)
    limits = np.array([image.shape[1] - 1, image.shape[0] - 1] * 2, np.float32)
    corners = np.clip(np.round(tracks.boxes), 0, limits).astype(np.int64)
    # Those further away first, so that the labels of people in front stay readable.
    order = np.argsort(tracks.boxes[:, 3], kind="stable").tolist()
    if traces is not None:
        for row in order:
            identity = int(tracks.ids[row])
            _draw_trace(image, traces, identity, style)
    for row in order:
        left, top, right, bottom = corners[row].tolist()
        colour = identity_colour(int(tracks.ids[row]))
        cv2.rectangle(image, (left, top), (right, bottom), colour, style.line)
    for row in order:
        left, top, _, _ = corners[row].tolist()
        identity = int(tracks.ids[row])
        words = [class_names[tracks.classes[row]]] if len(class_names) > 1 else []
        words += [str(identity), *([f"{tracks.scores[row]:.2f}"] if show_scores else [])]
        _draw_label(image, " ".join(words), (left, top), identity_colour(identity), style)


@lru_cache(maxsize=1024)
def identity_colour(identity: int) -> Colour:
    """Return the colour of an identity: always the same, and unlike that of its neighbours."""
    saturation, value = SHADES[identity % len(SHADES)]
    red, green, blue = colorsys.hsv_to_rgb(identity * GOLDEN_ANGLE % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw_trace(image: Image, traces: Traces, identity: int, style: Style) -> None:
    points = np.round(traces.points(identity)).astype(np.int32)
    half = len(points) // 2
    colour = identity_colour(identity)
    # The older half is thinner: it shows the direction without an arrow.
    for part, thickness in ((points[: half + 1], style.line), (points[half:], style.line + 1)):
        if len(part) > 1:
            cv2.polylines(
                image,
                [part],
                isClosed=False,
                color=colour,
                thickness=thickness,
                lineType=cv2.LINE_AA,
            )


def _draw_label(image: Image, text: str, place: Point, colour: Colour, style: Style) -> None:
    left, top = place
    (width, height), below = cv2.getTextSize(text, FONT, style.letters, 1)
    pad = max(2, style.line)
    tall = height + 2 * pad + below // 2
    # Above the box; inside it where the picture ends.
    top = top - tall if top >= tall else top
    left = min(left, max(image.shape[1] - width - 2 * pad, 0))
    cv2.rectangle(image, (left, top), (left + width + 2 * pad, top + tall), colour, cv2.FILLED)
    ink = BLACK if _brightness(colour) > 128 else WHITE  # noqa: PLR2004 (middle of 8 bits)
    cv2.putText(
        image, text, (left + pad, top + height + pad), FONT, style.letters, ink, 1, cv2.LINE_AA
    )


def _brightness(colour: Colour) -> float:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue
