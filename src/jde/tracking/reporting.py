from jde.structures.boxes import areas
from jde.structures.tracks import Tracks
from jde.tracking.config import TrackerConfig


def reportable(tracks: Tracks, config: TrackerConfig) -> Tracks:
    """Return the tracks that a result file of this configuration holds.

    The published programs leave small and wide boxes out of what they write; the tracker itself
    keeps them. The default configuration leaves out only boxes without area.
    """
    keep = areas(tracks.boxes) > config.min_area
    if config.max_aspect is not None:
        width, height = (tracks.boxes[:, 2:] - tracks.boxes[:, :2]).T
        keep &= width <= config.max_aspect * height
    return tracks.where(keep)
