"""Results laid beside ground truth, frame by frame, after MOTChallenge's preprocessing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from jde.formats.mot_text import NO_CLASS, PEDESTRIAN, MotRows
from jde.metrics.matching import (
    MIN_OVERLAP,
    TOLERANCE,
    Pairs,
    is_allowed,
    match_best_total,
    match_most_pairs,
)
from jde.structures.boxes import ltwh_to_corners, pairwise_iou
from jde.structures.errors import InputError

Protocol = Literal["mot", "zhongdao", "paddle"]
"""Whose rules hold: the official evaluator's, or those that a published program scores by."""

NON_MOT_VEHICLE = 6
DISTRACTORS = (2, 7, 8, 12)
"""Person on vehicle, static person, distractor, reflection: finding one counts neither way."""

FrameRows = tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " m"]]
"""Rows of the ground truth and rows of the results that belong to one frame."""

CLASSIFIED = {
    "zhongdao": ("MOT16-", "MOT17-"),
    "paddle": ("MOT15-", "MOT16-", "MOT17-", "MOT20-"),
}
"""Sequence names for which the published programs look at ignored boxes."""


@dataclass(frozen=True, slots=True)
class FramePair:
    """One frame.

    Attributes:
        people: Number of each true person, from 0 over the sequence.
        tracks: Number of each reported track, from 0 over the sequence.
        overlaps: Intersection over union of each person's box with each track's.
    """

    people: Int64[np.ndarray, " n"]
    tracks: Int64[np.ndarray, " m"]
    overlaps: Float64[np.ndarray, "n m"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the metrics look at: a sequence after preprocessing.

    Attributes:
        frames: The frames in which a person or a track is left, in order.
        person_boxes: Number of boxes of every true person.
        track_boxes: Number of boxes of every reported track.
    """

    frames: list[FramePair]
    person_boxes: Int64[np.ndarray, " people"]
    track_boxes: Int64[np.ndarray, " tracks"]


class Roles(NamedTuple):
    """What each row of the ground truth is for.

    Attributes:
        people: Must be found.
        rivals: Compete for reported boxes while distractors are removed.
        distractors: A reported box that one of these wins is removed.
    """

    people: Bool[np.ndarray, " n"]
    rivals: Bool[np.ndarray, " n"]
    distractors: Bool[np.ndarray, " n"]


def compare(
    results: MotRows, truth: MotRows, *, name: str, protocol: Protocol = "mot"
) -> Comparison:
    """Return the frames to score, without distractors.

    Args:
        results: Reported boxes.
        truth: Ground truth; where it has no class column every box is a person.
        name: Name of the sequence: it tells MOT20, and what the published programs leave out.
        protocol: Whose rules hold.

    Raises:
        InputError: An identity occurs twice in a frame, or results are detections or no people.
    """
    _refuse_odd_results(results, name)
    roles = assign_roles(truth, name=name, protocol=protocol)
    _refuse_twins(truth.where(roles.people), f"{name}: the ground truth")
    numbers = np.unique(np.concatenate([results.frames, truth.frames[roles.people | roles.rivals]]))
    if protocol == "paddle":
        numbers = np.unique(results.frames)
    cleaned = [
        _clean_frame(results, truth, roles, rows, protocol)
        for rows in _rows_of_frames(results, truth, numbers)
    ]
    people, person_boxes = _number(truth.ids, [frame.people for frame in cleaned])
    tracks, track_boxes = _number(results.ids, [frame.tracks for frame in cleaned])
    frames = [
        FramePair(person, track, frame.overlaps)
        for person, track, frame in zip(people, tracks, cleaned, strict=True)
        if len(person) or len(track)
    ]
    return Comparison(frames, person_boxes, track_boxes)


def assign_roles(truth: MotRows, *, name: str, protocol: Protocol) -> Roles:
    """Return what each row of the ground truth is for."""
    pedestrian = (truth.classes == PEDESTRIAN) | (truth.classes == NO_CLASS)
    if protocol == "mot":
        extra = (NON_MOT_VEHICLE,) if "MOT20" in name else ()
        classified = truth.classes != NO_CLASS
        return Roles(
            people=(truth.confidences != 0) & pedestrian,
            rivals=classified,
            distractors=np.isin(truth.classes, DISTRACTORS + extra),
        )
    looks_at_classes = any(part in name for part in CLASSIFIED[protocol])
    people = (truth.confidences != 0) & pedestrian
    if protocol == "zhongdao" and not looks_at_classes:
        people = np.ones(len(truth), bool)
    ignored = np.isin(truth.classes, DISTRACTORS) | (truth.visibilities < 0)
    ignored &= looks_at_classes
    return Roles(people=people, rivals=ignored, distractors=ignored)


def _clean_frame(
    results: MotRows, truth: MotRows, roles: Roles, rows: FrameRows, protocol: Protocol
) -> FramePair:
    """Return the rows, not yet numbers, of the people and tracks that are left in a frame."""
    true_rows, result_rows = rows
    overlaps = pairwise_iou(
        ltwh_to_corners(truth.ltwh[true_rows]), ltwh_to_corners(results.ltwh[result_rows])
    )
    rivals = np.flatnonzero(roles.rivals[true_rows])
    kept = np.ones(len(result_rows), bool)
    if len(rivals) and len(result_rows) and roles.distractors[true_rows].any():
        winners, won = _match_rivals(overlaps[rivals], protocol)
        kept[won[roles.distractors[true_rows[rivals[winners]]]]] = False
    people = roles.people[true_rows]
    return FramePair(true_rows[people], result_rows[kept], overlaps[people][:, kept])


def _match_rivals(overlaps: Float64[np.ndarray, "n m"], protocol: Protocol) -> Pairs:
    if protocol == "mot":
        return match_best_total(np.where(overlaps < MIN_OVERLAP - TOLERANCE, 0, overlaps))
    return match_most_pairs(overlaps, is_allowed(overlaps))


def _rows_of_frames(
    results: MotRows, truth: MotRows, numbers: Int64[np.ndarray, " k"]
) -> Iterator[FrameRows]:
    """Yield the rows of the ground truth and of the results in each frame, in file order."""
    per_file = []
    for rows in (truth, results):
        order = np.argsort(rows.frames, kind="stable")
        frames = rows.frames[order]
        starts = np.searchsorted(frames, numbers, side="left")
        ends = np.searchsorted(frames, numbers, side="right")
        per_file.append([order[start:end] for start, end in zip(starts, ends, strict=True)])
    yield from zip(*per_file, strict=True)


def _number(
    ids: Int64[np.ndarray, " n"], frames: list[Int64[np.ndarray, " _"]]
) -> tuple[list[Int64[np.ndarray, " _"]], Int64[np.ndarray, " k"]]:
    """Return dense numbers for the identities of the given rows, and how often each occurs."""
    rows = np.concatenate([np.zeros(0, np.int64), *frames])
    _, numbers, counts = np.unique(ids[rows], return_inverse=True, return_counts=True)
    ends = np.cumsum([len(frame) for frame in frames])
    return np.split(numbers, ends[:-1]) if frames else [], counts


def _refuse_odd_results(results: MotRows, name: str) -> None:
    if (results.ids < 0).any():
        raise InputError(f"{name}: the results hold identity -1: these are detections, not tracks")
    if (results.classes > PEDESTRIAN).any():
        raise InputError(
            f"{name}: the results hold class {results.classes.max()}; only people (class 1) are "
            "scored: choose one class, such as --class-number 1"
        )
    _refuse_twins(results, f"{name}: the result file")


def _refuse_twins(rows: MotRows, owner: str) -> None:
    order = np.lexsort((rows.ids, rows.frames))
    frames, ids = rows.frames[order], rows.ids[order]
    twins = np.flatnonzero((frames[1:] == frames[:-1]) & (ids[1:] == ids[:-1]))
    if len(twins):
        raise InputError(
            f"{owner} holds identity {ids[twins[0]]} twice in frame {frames[twins[0]]}"
        )
