from dataclasses import dataclass, replace

from jde.structures.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class PostProcessing:
    """How head maps become detections (specification, sections 2.2 and 5).

    The defaults are the authors'. `for_source` gives those of the program that made the weights.
    """

    min_score: float = 0.5
    """Detections have a higher score than this."""

    max_overlap: float = 0.4
    """Of two boxes that overlap more than this, the one with the lower score goes."""

    max_candidates: int | None = None
    """Candidates with the best scores that enter suppression."""

    max_detections: int | None = None
    """Detections with the best scores that are kept."""

    pixel_overlap: bool = False
    """Count whole pixels when boxes are compared: one more on every side, as MindSpore does."""

    rounded: bool = False
    """Round boxes to whole pixels of the picture, as PaddleDetection does."""

    rounded_padding: bool = False
    """Map boxes back by the rounded padding, as PaddleDetection does."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_score <= 1:
            raise InputError(f"min_score must be from 0 to 1, got {self.min_score}")
        if not 0 <= self.max_overlap <= 1:
            raise InputError(f"max_overlap must be from 0 to 1, got {self.max_overlap}")

    @classmethod
    def for_source(cls, source: str) -> "PostProcessing":
        """Return the post-processing of the program that trained the weights."""
        settings = cls()
        if source == "paddle":
            return replace(
                settings,
                max_candidates=2000,
                max_detections=500,
                rounded=True,
                rounded_padding=True,
            )
        if source == "mindspore":
            return replace(settings, max_candidates=800, pixel_overlap=True)
        return settings
