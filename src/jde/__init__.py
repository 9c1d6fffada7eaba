"""Multi-object tracking with one network that detects and embeds in a single shot."""

import importlib
from typing import Any

_HOMES = {
    "Detections": "jde.structures.detections",
    "Frame": "jde.structures.frame",
    "InputError": "jde.structures.errors",
    "Letterbox": "jde.structures.letterbox",
    "Tracks": "jde.structures.tracks",
    "Tracker": "jde.tracking.tracker",
    "TrackerConfig": "jde.tracking.config",
    "VideoWriter": "jde.video.writer",
    "draw_tracks": "jde.video.drawing",
    "evaluate_tracking": "jde.metrics.tracking_report",
    "load_detector": "jde.weights.loading",
    "load_network": "jde.weights.networks",
    "read_video": "jde.video.reading",
    "track": "jde.commands.track",
}
"""Where each public name lives: imported on first use, so that `import jde` stays quick."""

__all__ = [  # noqa: PLE0604 (names are resolved by __getattr__)
    *_HOMES,
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jde' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
