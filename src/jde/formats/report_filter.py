"""Which tracks the published programs leave out of their result files."""

import numpy as np

from jde.structures.tracks import Tracks

MIN_AREA, MAX_ASPECT = 200.0, 1.6
"""Square pixels, and width over height: the limits of the published programs."""


def person_shaped(
    tracks: Tracks, *, min_area: float = MIN_AREA, max_aspect: float = MAX_ASPECT
) -> Tracks:
    """Return the tracks larger than `min_area` and not wider than `max_aspect` heights."""
    width, height = (tracks.boxes[:, 2:] - tracks.boxes[:, :2]).astype(np.float64).T
    return tracks.where((width * height > min_area) & (width <= max_aspect * height))
