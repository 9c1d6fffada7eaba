"""The published association, literally: objects, lists and full matrices.

Written from specification sections 6, 16 and 17; it shares no line with `jde.tracking`. One object
for each track, one 8x8 covariance with a Cholesky factor for each, lists that are joined and
subtracted by identity, and the list of removed tracks that only grows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

GATE = 9.4877
TRACKED, LOST, REMOVED = "tracked", "lost", "removed"

Matrix = np.ndarray[Any, np.dtype[Any]]
Matching = tuple[list[tuple[int, int]], list[int], list[int]]
Assignment = Callable[[Matrix, float], list[tuple[int, int]]]


@dataclass
class Program:
    """What differs between the three."""

    new_score: float = 0.5
    first_frame_confirmed: bool = False
    dtype: type[np.floating[Any]] = np.float64
    track_buffer: int = 30


ZHONGDAO = Program()
MINDSPORE = Program()
PADDLE = Program(new_score=0.3, first_frame_confirmed=True, dtype=np.float32)


def extended_assignment(cost: Matrix, limit: float) -> list[tuple[int, int]]:
    """Solve the (n + m) x (n + m) problem with limit / 2 for going without."""
    rows, columns = cost.shape
    extended = np.zeros((rows + columns, rows + columns))
    extended[:rows, :columns] = np.where(np.isinf(cost), 1e6, cost)
    extended[:rows, columns:] = limit / 2
    extended[rows:, :columns] = limit / 2
    pairs = zip(*linear_sum_assignment(extended), strict=True)
    return [(int(i), int(j)) for i, j in pairs if i < rows and j < columns]


class Filter:
    """The Kalman filter as eight dimensions and full matrices."""

    def __init__(self, dtype: type[np.floating[Any]]) -> None:
        self.dtype = dtype
        self.motion = np.eye(8, dtype=dtype)
        for i in range(4):
            self.motion[i, i + 4] = 1
        self.view = np.eye(4, 8, dtype=dtype)

    def initiate(self, z: Matrix) -> tuple[Matrix, Matrix]:
        h = z[3]
        deviation = [h / 10, h / 10, 1e-2, h / 10, h / 16, h / 16, 1e-5, h / 16]
        covariance = np.diag(np.square(np.array(deviation, self.dtype)))
        return np.concatenate([z, np.zeros(4, self.dtype)]), covariance

    def predict_all(self, means: Matrix, covariances: Matrix) -> tuple[Matrix, Matrix]:
        h = means[:, 3]
        one = np.ones_like(h)
        deviation = [h / 20, h / 20, 1e-2 * one, h / 20, h / 160, h / 160, 1e-5 * one, h / 160]
        squares = np.square(np.array(deviation, self.dtype)).T
        noise = np.array([np.diag(row) for row in squares])
        left = np.einsum("ij,njk->nik", self.motion, covariances)
        return means @ self.motion.T, left @ self.motion.T + noise

    def project(self, mean: Matrix, covariance: Matrix) -> tuple[Matrix, Matrix]:
        h = mean[3]
        deviation = np.array([h / 20, h / 20, 1e-1, h / 20], self.dtype)
        noise = np.diag(np.square(deviation))
        return self.view @ mean, self.view @ covariance @ self.view.T + noise

    def update(self, mean: Matrix, covariance: Matrix, z: Matrix) -> tuple[Matrix, Matrix]:
        projected, spread = self.project(mean, covariance)
        factor = scipy.linalg.cho_factor(spread, lower=True, check_finite=False)
        gain = scipy.linalg.cho_solve(factor, (covariance @ self.view.T).T, check_finite=False).T
        return mean + gain @ (z - projected), covariance - gain @ spread @ gain.T

    def distances(self, mean: Matrix, covariance: Matrix, measured: Matrix) -> Matrix:
        projected, spread = self.project(mean, covariance)
        lower = np.linalg.cholesky(spread)
        offset = (measured - projected).T
        solved = scipy.linalg.solve_triangular(lower, offset, lower=True, check_finite=False)
        return np.sum(solved * solved, axis=0)


@dataclass(eq=False)
class Track:
    """One person, or one detection that may become a track."""

    tlwh: Matrix
    score: float
    current: Matrix
    smooth: Matrix
    identity: int = 0
    state: str = "new"
    confirmed: bool = False
    start: int = 0
    last: int = 0
    mean: Matrix | None = None
    covariance: Matrix | None = None

    def box(self) -> Matrix:
        """Left, top, right, bottom."""
        if self.mean is None:
            left, top, width, height = self.tlwh
        else:
            height = self.mean[3]
            width = self.mean[2] * height
            left, top = self.mean[0] - width / 2, self.mean[1] - height / 2
        return np.array([left, top, left + width, top + height])

    def measured(self) -> Matrix:
        left, top, width, height = self.tlwh
        return np.array([left + width / 2, top + height / 2, width / height, height])

    def take(self, detection: "Track", frame: int, kalman: Filter) -> None:
        assert self.mean is not None
        assert self.covariance is not None
        measured = detection.measured()
        self.mean, self.covariance = kalman.update(self.mean, self.covariance, measured)
        smooth = 0.9 * self.smooth + 0.1 * detection.current
        self.smooth = smooth / np.linalg.norm(smooth)
        self.current = detection.current
        self.state, self.confirmed, self.last = TRACKED, True, frame


@dataclass
class PublishedTracker:
    """One of the three programs over one sequence."""

    program: Program
    frame_rate: float = 30
    assignment: Assignment = extended_assignment
    frame: int = 0
    count: int = 0
    tracked: list[Track] = field(default_factory=list)
    lost: list[Track] = field(default_factory=list)
    removed: list[Track] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kalman = Filter(self.program.dtype)
        self.max_lost = int(self.frame_rate / 30 * self.program.track_buffer)

    def update(  # noqa: C901, PLR0915 (one step of the specification after the other)
        self, boxes: Matrix, scores: Matrix, embeddings: Matrix
    ) -> list[Track]:
        self.frame += 1
        detections = self._detections(boxes, scores, embeddings)
        confirmed = [t for t in self.tracked if t.confirmed]
        unconfirmed = [t for t in self.tracked if not t.confirmed]
        pool = union(confirmed, self.lost)
        self._predict(pool)

        activated: list[Track] = []
        found: list[Track] = []
        newly_lost: list[Track] = []
        newly_removed: list[Track] = []
        pairs, idle, left = self._match(self._appearance_cost(pool, detections), 0.7)
        for i, j in pairs:
            again = pool[i].state != TRACKED
            (found if again else activated).append(pool[i])
            if not again:
                pool[i].score = detections[j].score
            pool[i].take(detections[j], self.frame, self.kalman)

        detections = [detections[j] for j in left]
        second = [pool[i] for i in idle if pool[i].state == TRACKED]
        pairs, idle, left = self._match(overlap_cost(second, detections), 0.5)
        self._continue(second, detections, pairs, activated)
        for i in idle:
            second[i].state = LOST
            newly_lost.append(second[i])

        detections = [detections[j] for j in left]
        pairs, idle, left = self._match(overlap_cost(unconfirmed, detections), 0.7)
        self._continue(unconfirmed, detections, pairs, activated)
        for i in idle:
            unconfirmed[i].state = REMOVED
            newly_removed.append(unconfirmed[i])

        for j in left:
            if detections[j].score >= self.program.new_score:
                self._activate(detections[j])
                activated.append(detections[j])
        for track in self.lost:
            if self.frame - track.last > self.max_lost:
                track.state = REMOVED
                newly_removed.append(track)

        self.tracked = [t for t in self.tracked if t.state == TRACKED]
        self.tracked = union(union(self.tracked, activated), found)
        self.lost = without(self.lost, self.tracked) + newly_lost
        self.lost = without(self.lost, self.removed)
        self.removed += newly_removed
        self._drop_duplicates()
        return [t for t in self.tracked if t.confirmed]

    def _detections(self, boxes: Matrix, scores: Matrix, embeddings: Matrix) -> list[Track]:
        made = []
        for box, score, embedding in zip(boxes, scores, embeddings, strict=True):
            tlwh = np.array([box[0], box[1], box[2] - box[0], box[3] - box[1]])
            unit = embedding / np.linalg.norm(embedding)
            made.append(Track(tlwh.astype(self.program.dtype), float(score), unit, unit))
        return made

    def _predict(self, pool: Sequence[Track]) -> None:
        if not pool:
            return
        means = np.array([t.mean for t in pool])
        for mean, track in zip(means, pool, strict=True):
            if track.state != TRACKED:
                mean[7] = 0
        means, covariances = self.kalman.predict_all(means, np.array([t.covariance for t in pool]))
        for track, mean, covariance in zip(pool, means, covariances, strict=True):
            track.mean, track.covariance = mean, covariance

    def _appearance_cost(self, pool: Sequence[Track], detections: Sequence[Track]) -> Matrix:
        cost = np.zeros((len(pool), len(detections)))
        if not cost.size:
            return cost
        features = np.array([t.smooth for t in pool], np.float64)
        cost[:] = cdist(features, np.array([d.current for d in detections], np.float64))
        measured = np.array([d.measured() for d in detections])
        for i, track in enumerate(pool):
            assert track.mean is not None
            assert track.covariance is not None
            distance = self.kalman.distances(track.mean, track.covariance, measured)
            cost[i, distance > GATE] = np.inf
            cost[i] = 0.98 * cost[i] + 0.02 * distance
        return cost

    def _match(self, cost: Matrix, limit: float) -> Matching:
        pairs = self.assignment(cost, limit) if cost.size else []
        rows, columns = {i for i, _ in pairs}, {j for _, j in pairs}
        idle = [i for i in range(cost.shape[0]) if i not in rows]
        return pairs, idle, [j for j in range(cost.shape[1]) if j not in columns]

    def _continue(
        self,
        tracks: Sequence[Track],
        detections: Sequence[Track],
        pairs: Sequence[tuple[int, int]],
        activated: list[Track],
    ) -> None:
        for i, j in pairs:
            tracks[i].score = detections[j].score
            tracks[i].take(detections[j], self.frame, self.kalman)
            activated.append(tracks[i])

    def _activate(self, track: Track) -> None:
        self.count += 1
        track.identity = self.count
        track.mean, track.covariance = self.kalman.initiate(track.measured())
        track.state, track.start, track.last = TRACKED, self.frame, self.frame
        track.confirmed = self.program.first_frame_confirmed and self.frame == 1

    def _drop_duplicates(self) -> None:
        distance = overlap_cost(self.tracked, self.lost)
        drop_tracked, drop_lost = set(), set()
        for p, q in zip(*np.nonzero(distance < 0.15), strict=True):
            age_p = self.tracked[p].last - self.tracked[p].start
            age_q = self.lost[q].last - self.lost[q].start
            if age_p > age_q:
                drop_lost.add(int(q))
            else:
                drop_tracked.add(int(p))
        self.tracked = [t for i, t in enumerate(self.tracked) if i not in drop_tracked]
        self.lost = [t for i, t in enumerate(self.lost) if i not in drop_lost]


def union(first: Sequence[Track], second: Sequence[Track]) -> list[Track]:
    """First, then what of second has an identity not met before."""
    known = {t.identity for t in first}
    return [*first, *(t for t in second if t.identity not in known)]


def without(first: Sequence[Track], second: Sequence[Track]) -> list[Track]:
    """First without the identities in second."""
    gone = {t.identity for t in second}
    return [t for t in first if t.identity not in gone]


def overlap_cost(first: Sequence[Track], second: Sequence[Track]) -> Matrix:
    """1 - IoU in whole pixels of every pair."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    one = np.array([t.box() for t in first])[:, None]
    two = np.array([t.box() for t in second])[None]
    width = np.minimum(one[..., 2], two[..., 2]) - np.maximum(one[..., 0], two[..., 0]) + 1
    height = np.minimum(one[..., 3], two[..., 3]) - np.maximum(one[..., 1], two[..., 1]) + 1
    shared = np.clip(width, 0, None) * np.clip(height, 0, None)
    area_one = (one[..., 2] - one[..., 0] + 1) * (one[..., 3] - one[..., 1] + 1)
    area_two = (two[..., 2] - two[..., 0] + 1) * (two[..., 3] - two[..., 1] + 1)
    return 1 - shared / (area_one + area_two - shared)
