from dataclasses import dataclass
from typing import Literal

PUBLISHED_UNCERTAINTIES = (-4.85, -4.15, -2.3)
"""Starts of the learned weights of box, objectness and identity; values of the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """How the three parts of the loss are measured and weighed.

    The defaults are the published loss with its faults repaired; `zhongdao`, `paddle` and
    `mindspore` are the three published programs to the letter (specification, section 10).

    Attributes:
        objectness: Cross-entropy as published, or the focal loss, which looks less at easy
            background.
        objectness_mean: Over the anchors that count, or over all, ignored ones included.
        box: Smooth L1 of the offsets as published, or one minus the generalised overlap.
        identity_mean: Over the cells with a known identity, or over all cells with a person.
        label_smoothing: Share of each identity's probability that is spread over all identities.
        embedding_scale: Length of the embeddings before the classifier; 0 takes the published
            formula of the number of identities.
        assign_best: Give a person whom no anchor overlaps enough the best-shaped one all the same.
        level_reduction: Sum or mean of the three levels.
        hold_idle_weights: Leave the learned weight of a part alone in steps in which the part has
            nothing to measure; published programs let it run away.
        skip_lone_cells: No identity loss at a level where only one cell holds a person.
        max_cells: Most cells a picture and level that the identity classifier learns from, 0 for
            all; with a limit the first cell of the grid is never among them, as in MindSpore.
        softmax: Weight of the identity classifier's cross-entropy within the identity loss.
        triplet: Weight of the triplet loss of the farthest partner and the closest other; like
            `circle` it needs identities, and pictures of one person in one batch.
        triplet_margin: By how much an other must be farther than a partner, as distance of unit
            vectors.
        circle: Weight of the circle loss.
        circle_margin: Its m: partners are to be more alike than 1 - m, others less than m.
        circle_scale: Its gamma.
        views: Weight of the loss that needs no identities: each person is told from all others by
            another view of the same picture; needs `data.views` above 1.
        views_of: Who learns from it: people of unknown identity, or everybody, whatever the labels
            say.
        views_against: Whom they are told from: everybody in the batch, or everybody in the same
            picture, where the pictures of a batch show the same people.
        temperature: Of that loss; the smaller, the more the most similar others count.
        uncertainties: Starts of the learned weights s of box, objectness and identity, each part
            weighing exp(-s); near the logarithm of a part's size they are balanced at once.
    """

    objectness: Literal["softmax", "focal"] = "softmax"
    objectness_mean: Literal["counted", "all"] = "counted"
    box: Literal["smooth-l1", "giou"] = "smooth-l1"
    identity_mean: Literal["known", "all"] = "known"
    label_smoothing: float = 0.0
    embedding_scale: float = 0.0
    assign_best: bool = False
    level_reduction: Literal["sum", "mean"] = "sum"
    hold_idle_weights: bool = True
    skip_lone_cells: bool = False
    max_cells: int = 0
    softmax: float = 1.0
    triplet: float = 0.0
    triplet_margin: float = 0.3
    circle: float = 0.0
    circle_margin: float = 0.25
    circle_scale: float = 64.0
    views: float = 0.0
    views_of: Literal["unknown", "all"] = "unknown"
    views_against: Literal["batch", "picture"] = "batch"
    temperature: float = 0.1
    uncertainties: tuple[float, float, float] = PUBLISHED_UNCERTAINTIES

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing must be in [0, 1), got {self.label_smoothing}")
        for name in ("embedding_scale", "softmax", "triplet", "circle", "views"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        for name in ("circle_scale", "temperature"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")

    @classmethod
    def zhongdao(cls) -> "LossConfig":
        """Return the loss of the original program, except that its NaN without identities is 0."""
        return cls(hold_idle_weights=False, skip_lone_cells=True)

    @classmethod
    def paddle(cls) -> "LossConfig":
        """Return the loss of PaddleDetection, whose means count what they ignore."""
        return cls(hold_idle_weights=False, objectness_mean="all", identity_mean="all")

    @classmethod
    def mindspore(cls) -> "LossConfig":
        """Return the loss of the MindSpore program."""
        return cls(hold_idle_weights=False, level_reduction="mean", max_cells=400)
