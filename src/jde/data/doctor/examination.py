"""The whole examination of a data set: counts, sizes, anchors, findings."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from jde.data.doctor.anchor_fit import AnchorFit, Sizes, fit_of, suggest_anchors
from jde.data.doctor.findings import Finding, find_all
from jde.data.doctor.inspection import InspectedPicture
from jde.structures.letterbox import Letterbox, Size


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """What one list, folder or sequence holds.

    Attributes:
        name: Name of the list, folder or sequence.
        pictures: Number of pictures.
        empty: Number of them without people.
        boxes: Number of boxes.
        unknown: Number of boxes without identity.
        identities: Number of different people.
        sizes: Widths and heights that occur, the most frequent first.
    """

    name: str
    pictures: int
    empty: int
    boxes: int
    unknown: int
    identities: int
    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """What there is to say about a data set.

    Attributes:
        groups: Counts by list, folder or sequence.
        network: Width and height of the network's input that sizes refer to.
        sizes: Width and height of every box in pixels of the network's input.
        people: Number of people in each picture.
        fit: How the network's anchors meet the boxes; None without boxes.
        suggestion: Anchors found by k-means on these boxes; None without boxes.
        findings: What was noticed.
        classes: Number of boxes of each class that occurs.
    """

    groups: tuple[GroupCounts, ...]
    network: Size
    sizes: Sizes
    people: Float64[np.ndarray, " n"]
    fit: AnchorFit | None
    suggestion: AnchorFit | None
    findings: tuple[Finding, ...]
    classes: dict[int, int]

    @property
    def fault(self) -> str:
        """Return why nothing can be learned from the set, empty where something can."""
        if not any(group.pictures for group in self.groups):
            return "it lists no picture"
        if not len(self.sizes):
            return "none of its pictures can be read and has a box"
        return ""


def examine(
    pictures: Sequence[InspectedPicture],
    network: Size,
    anchors: Sizes,
    more_findings: Sequence[Finding] = (),
) -> Examination:
    """Return what there is to say about inspected pictures.

    Args:
        pictures: The data set.
        network: Width and height of the network's input.
        anchors: Its anchors in pixels of that input.
        more_findings: What was noticed elsewhere, such as pictures shared with another set.
    """
    sizes = np.concatenate([np.zeros((0, 2)), *(_sizes(one, network) for one in pictures)])
    sizes = sizes[(sizes > 0).all(axis=1)]
    found = (*more_findings, *find_all(pictures, sizes[:, 1].tolist()))
    return Examination(
        groups=_count_groups(pictures),
        network=network,
        sizes=sizes,
        people=np.array([len(one.boxes) for one in pictures], np.float64),
        fit=fit_of(anchors, sizes) if len(sizes) else None,
        suggestion=fit_of(suggest_anchors(sizes, len(anchors)), sizes) if len(sizes) else None,
        findings=found,
        classes=_count_classes(pictures),
    )


def _sizes(picture: InspectedPicture, network: Size) -> Sizes:
    if not picture.size[0]:
        return np.zeros((0, 2))
    scale = Letterbox.fit(picture.size, network).scale
    return (picture.boxes[:, 2:] - picture.boxes[:, :2]) * np.array(picture.size) * scale


def _count_classes(pictures: Sequence[InspectedPicture]) -> dict[int, int]:
    numbers = np.concatenate([np.zeros(0, np.int64), *(one.classes for one in pictures)])
    found, counts = np.unique(numbers, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _count_groups(pictures: Sequence[InspectedPicture]) -> tuple[GroupCounts, ...]:
    groups: defaultdict[str, list[InspectedPicture]] = defaultdict(list)
    for picture in pictures:
        groups[picture.group].append(picture)
    return tuple(_count(name, members) for name, members in groups.items())


def _count(name: str, pictures: Sequence[InspectedPicture]) -> GroupCounts:
    identities = np.concatenate([one.identities for one in pictures])
    sizes: defaultdict[Size, int] = defaultdict(int)
    for one in pictures:
        if one.size[0]:
            sizes[one.size] += 1
    return GroupCounts(
        name=name,
        pictures=len(pictures),
        empty=sum(not len(one.boxes) for one in pictures),
        boxes=len(identities),
        unknown=int((identities < 0).sum()),
        identities=len(np.unique(identities[identities >= 0])),
        sizes=tuple(sorted(sizes, key=lambda size: -sizes[size])),
    )
