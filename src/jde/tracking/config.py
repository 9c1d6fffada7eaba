"""What a tracker depends on, and the three published programs as values."""

from dataclasses import dataclass
from typing import Literal

from jde.structures.errors import InputError

CHI_SQUARE_95 = 9.4877
"""95 % quantile of the chi-square distribution with four degrees of freedom."""

PUBLISHED_MIN_AREA = 200.0
"""Square pixels a box must exceed to be written, in all three published programs."""

PUBLISHED_MAX_ASPECT = 1.6
"""Width over height above which a box is not written, in all three published programs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackerConfig:
    """How detections become tracks; the defaults are the published association, repaired."""

    max_lost_seconds: float = 1.0
    """How long a person may be out of sight and still come back with the same identity."""

    min_score: float = 0.5
    """Score that a detection needs to start a track; any detection may continue one."""

    max_appearance_distance: float = 0.7
    """Largest cost (distance between unit embeddings, plus motion) of the first association."""

    motion_weight: float = 0.02
    """Share of the motion distance in the cost of the first association, from 0 to 1."""

    max_motion_distance: float = CHI_SQUARE_95
    """Squared Mahalanobis distance beyond which a detection is too far from a prediction."""

    max_overlap_distance: float = 0.5
    """Largest 1 - IoU of the second association, for people whose appearance found no match."""

    max_unconfirmed_distance: float = 0.7
    """Largest 1 - IoU between a new track and the detection that confirms it."""

    max_motion_only_distance: float = 0.7
    """Largest 1 - IoU of the first association where there are no embeddings."""

    max_duplicate_distance: float = 0.15
    """1 - IoU below which a lost and a visible track are the same person."""

    smoothing: float = 0.9
    """Share of the old appearance that a track keeps when it takes a new one, from 0 to 1."""

    use_embeddings: bool = True
    """Compare appearances; off, motion and overlap alone decide."""

    confirm_first_frame: bool = True
    """Report the people of the first frame at once; later ones always need a second sighting."""

    strict: bool = False
    """Reproduce the faults that the published programs share; docs/tracker.md lists them."""

    precision: Literal["float64", "float32"] = "float64"
    """Arithmetic of the motion filter."""

    min_area: float = 0.0
    """Square pixels a box must exceed for `reportable` to keep it."""

    max_aspect: float | None = None
    """Width over height above which `reportable` drops a box; None keeps every shape."""

    def __post_init__(self) -> None:
        faults = [
            f"{name} must be {wanted}, got {getattr(self, name)!r}"
            for name, (least, most, wanted) in _LIMITS.items()
            if not least <= getattr(self, name) <= most
        ]
        if self.max_aspect is not None and not self.max_aspect > 0:
            faults.append(f"max_aspect must be above 0 or None, got {self.max_aspect!r}")
        if self.precision not in {"float64", "float32"}:
            faults.append(f"precision must be float64 or float32, got {self.precision!r}")
        if faults:
            raise InputError("; ".join(faults))

    @classmethod
    def zhongdao(cls) -> "TrackerConfig":
        """Return the behaviour of Zhongdao/Towards-Realtime-MOT, faults included."""
        return cls(
            strict=True,
            confirm_first_frame=False,
            min_area=PUBLISHED_MIN_AREA,
            max_aspect=PUBLISHED_MAX_ASPECT,
        )

    @classmethod
    def paddle(cls) -> "TrackerConfig":
        """Return the behaviour of PaddleDetection, faults included."""
        return cls(
            strict=True,
            min_score=0.3,
            precision="float32",
            min_area=PUBLISHED_MIN_AREA,
            max_aspect=PUBLISHED_MAX_ASPECT,
        )

    @classmethod
    def mindspore(cls) -> "TrackerConfig":
        """Return the behaviour of the MindSpore models repository: its tracker is Zhongdao's."""
        return cls.zhongdao()


_INFINITY = float("inf")
_SHARE = (0.0, 1.0, "from 0 to 1")
_OVERLAP = (0.0, 0.99, "from 0 to 0.99 (1 - IoU)")

_LIMITS = {
    "max_lost_seconds": (0.0, 1e9, "a number of seconds, 0 or more"),
    "min_score": _SHARE,
    "max_appearance_distance": (0.0, 1e9, "0 or more"),
    "motion_weight": _SHARE,
    "max_motion_distance": (0.0, 1e9, "0 or more"),
    "max_overlap_distance": _OVERLAP,
    "max_unconfirmed_distance": _OVERLAP,
    "max_motion_only_distance": _OVERLAP,
    "max_duplicate_distance": _OVERLAP,
    "smoothing": (0.0, 1.0, "from 0 (latest appearance only) to 1 (first appearance only)"),
    "min_area": (0.0, _INFINITY, "0 or more"),
}
"""Smallest and largest value of each field, and how to say it."""
