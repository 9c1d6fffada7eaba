"""Detections in, identities out: the published association of JDE on arrays."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64

from jde.structures.detections import Detections
from jde.structures.errors import InputError
from jde.structures.tracks import Tracks
from jde.tracking import kalman
from jde.tracking.assignment import NOBODY, assign
from jde.tracking.clock import StreamClock
from jde.tracking.config import TrackerConfig
from jde.tracking.costs import (
    Pairs,
    appearance_distances,
    motion_distances,
    overlap_distances,
    pairs_within,
)
from jde.tracking.observation import TINY, Observation, observe
from jde.tracking.scratch import Scratch
from jde.tracking.track_store import COLUMNS, TrackStore

Rows = Int64[np.ndarray, " _"]

CLOCK_SLACK = 0.01
"""Frames by which a lost track may be overdue: rounding of time stamps never decides."""


class Partners(NamedTuple):
    """Which detection each track took, `NOBODY` where none, and the detections left over."""

    tracked: Int64[np.ndarray, " tracked"]
    lost: Int64[np.ndarray, " lost"]
    free: Int64[np.ndarray, " free"]


class Tracker:
    """Follows people through one stream and gives each an identity of its own.

    Example:
        tracker = Tracker(TrackerConfig(max_lost_seconds=2.0), frame_rate=25)
        for frame in frames:
            tracks = tracker.update(detector(frame.image), frame.seconds)

    Args:
        config: How to associate; the default suits any detector with embeddings.
        frame_rate: Nominal frames per second of the stream.
    """

    def __init__(self, config: TrackerConfig | None = None, frame_rate: float = 30.0) -> None:
        self.config = config or TrackerConfig()
        self._clock = StreamClock(frame_rate, counts_frames=self.config.strict)
        self._max_lost = frame_rate * self.config.max_lost_seconds + CLOCK_SLACK
        # Published programs measure overlap in whole pixels, both borders included.
        self._margin = 1.0 if self.config.strict else 0.0
        self._embedding_dim: int | None = None
        self._last_id = 0
        self._store = TrackStore(self.config.precision)
        self._scratch = Scratch()
        # Slots in the order of the published lists; unconfirmed tracks are among the tracked.
        self._tracked = np.zeros(0, np.int64)
        self._lost = np.zeros(0, np.int64)

    def update(self, detections: Detections, seconds: float | None = None) -> Tracks:
        """Take the detections of the next frame and return the confirmed tracks.

        Args:
            detections: What a detector saw; also nothing.
            seconds: Time stamp of the frame. With it, movement and the time a person may be lost
                follow the clock; without it, every frame counts 1 / frame_rate.
        """
        if not self.config.use_embeddings:
            detections = Detections(detections.boxes, detections.scores, classes=detections.classes)
        observation = observe(
            detections,
            embedding_dim=self._embedding_dim,
            precision=self.config.precision,
            scratch=self._scratch,
        )
        if self._embedding_dim is None and len(detections):
            self._embedding_dim = detections.embeddings.shape[1]
            self._store.set_embedding_dim(self._embedding_dim)
        step = self._clock.advance(seconds)
        if step > self._clock.usual_step:
            self._drop_absent()
        self._predict(step)
        partners = self._associate(observation)
        self._absorb(partners, observation)
        self._relist(partners, self._begin(partners.free, observation))
        self._drop_duplicates()
        return self._report()

    def state(self) -> dict[str, np.ndarray]:
        """Return everything the tracker knows, as plain arrays (for `numpy.savez`)."""
        dim = NOBODY if self._embedding_dim is None else self._embedding_dim
        return self._store.export(np.concatenate([self._tracked, self._lost])) | {
            "visible_count": np.array(len(self._tracked)),
            "last_id": np.array(self._last_id),
            "embedding_dim": np.array(dim),
            "clock": self._clock.state(),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on where `state` was taken; the configuration and frame rate must be the same."""
        missing = sorted(_STATE_NAMES - set(state))
        if missing:
            raise InputError(f"the saved tracker state lacks {', '.join(missing)}")
        store = TrackStore(self.config.precision)
        slots = store.load(state)
        visible, dim = int(state["visible_count"]), int(state["embedding_dim"])
        self._store, self._tracked, self._lost = store, slots[:visible], slots[visible:]
        self._last_id = int(state["last_id"])
        self._embedding_dim = None if dim == NOBODY else dim
        self._clock.restore(state["clock"])

    def _drop_absent(self) -> None:
        # The stream paused: who was due to be forgotten meanwhile can't be met again.
        limit = self._clock.now - self._max_lost - self._clock.usual_step
        self._tracked = self._keep(self._tracked, self._store.seen[self._tracked] >= limit)
        self._lost = self._keep(self._lost, self._store.seen[self._lost] >= limit)

    def _keep(self, slots: Rows, kept: Bool[np.ndarray, " _"]) -> Rows:
        if kept.all():
            return slots
        self._store.release(slots[~kept])
        return slots[kept]

    def _predict(self, step: float) -> None:
        tracked = self._tracked
        if self.config.strict:
            tracked = tracked[self._store.confirmed[tracked]]
        slots = np.concatenate([tracked, self._lost])
        if not len(slots):
            return
        motion = self._store.motion.take(slots, axis=2)
        # A lost person keeps the last height: nothing shows how it changes.
        motion[kalman.VELOCITY, kalman.HEIGHT, len(tracked) :] = 0
        kalman.predict(motion, step)
        self._store.motion[:, :, slots] = motion

    def _associate(self, observation: Observation) -> Partners:
        confirmed = self._store.confirmed[self._tracked]
        visible, new = self._tracked[confirmed], self._tracked[~confirmed]
        pool = np.concatenate([visible, self._lost])
        # One entry more than detections: it is what NOBODY, the index -1, takes.
        free = np.ones(len(observation) + 1, np.bool_)
        if self._embedding_dim:
            found = self._match_appearance(pool, observation)
        else:
            limit = self.config.max_motion_only_distance
            found = self._match_overlap(pool, free, observation, limit)
        free[found] = False
        partner, lost_partner = found[: len(visible)], found[len(visible) :]

        alone = (partner == NOBODY).nonzero()[0]
        limit = self.config.max_overlap_distance
        partner[alone] = self._match_overlap(visible[alone], free, observation, limit)
        free[partner] = False

        limit = self.config.max_unconfirmed_distance
        new_partner = self._match_overlap(new, free, observation, limit)
        free[new_partner] = False
        tracked_partner = np.empty(len(self._tracked), np.int64)
        tracked_partner[confirmed] = partner
        tracked_partner[~confirmed] = new_partner
        return Partners(tracked_partner, lost_partner, free[:-1].nonzero()[0])

    def _match_appearance(self, slots: Rows, observation: Observation) -> Rows:
        config, store = self.config, self._store
        if not len(slots) or not len(observation):
            return np.full(len(slots), NOBODY)
        position = store.motion[kalman.POSITION].take(slots, axis=1)
        spread = store.motion[kalman.POSITION_VARIANCE].take(slots, axis=1)
        variance = kalman.innovation_variance(position, spread)
        reach = np.sqrt(config.max_motion_distance * variance[0])
        pairs = pairs_within(position[0], reach, observation.measured[0])
        moved = motion_distances(position, variance, observation.measured, pairs)
        keep = moved <= config.max_motion_distance
        keep &= store.classes[slots[pairs.first]] == observation.classes[pairs.second]
        pairs, moved = Pairs(pairs.first[keep], pairs.second[keep]), moved[keep]
        looks = appearance_distances(
            store.features,
            observation.embeddings,
            Pairs(slots[pairs.first], pairs.second),
            self._scratch,
        )
        weight = config.motion_weight
        costs = (1 - weight) * looks.astype(np.float64) + weight * moved
        shape = (len(slots), len(observation))
        return assign(pairs, costs, config.max_appearance_distance, shape)

    def _match_overlap(
        self,
        slots: Rows,
        free: Bool[np.ndarray, " m_and_nobody"],
        observation: Observation,
        limit: float,
    ) -> Rows:
        columns = free[:-1].nonzero()[0]
        if not len(slots) or not len(columns):
            return np.full(len(slots), NOBODY)
        pairs, costs = overlap_distances(
            self._corners(slots),
            observation.corners.take(columns, axis=1),
            limit=limit,
            margin=self._margin,
        )
        same = self._store.classes[slots[pairs.first]] == observation.classes[columns[pairs.second]]
        costs[~same] = np.inf
        partner = assign(pairs, costs, limit, (len(slots), len(columns)))
        return np.where(partner == NOBODY, NOBODY, columns[partner])

    def _absorb(self, partners: Partners, observation: Observation) -> None:
        back = partners.lost != NOBODY
        seen = partners.tracked != NOBODY
        returned, visible = self._lost[back], self._tracked[seen]
        slots = np.concatenate([visible, returned])
        columns = np.concatenate([partners.tracked[seen], partners.lost[back]])
        if not len(slots):
            return
        store = self._store
        motion = store.motion.take(slots, axis=2)
        kalman.correct(motion, observation.measured.take(columns, axis=1))
        store.motion[:, :, slots] = motion
        store.seen[slots] = self._clock.now
        # Published programs leave the old score with a track that comes back.
        scored = len(visible) if self.config.strict else len(slots)
        store.scores[slots[:scored]] = observation.scores[columns[:scored]]
        if self._embedding_dim:
            self._blend(slots, observation.embeddings, columns)

    def _blend(self, slots: Rows, embeddings: Float[np.ndarray, "m dim"], columns: Rows) -> None:
        smoothing = self.config.smoothing
        features = self._scratch.taken("features", self._store.features, slots)
        features *= smoothing
        latest = self._scratch.taken("latest", embeddings, columns)
        latest *= 1 - smoothing
        features += latest
        length = np.sqrt(np.einsum("kd,kd->k", features, features))
        features /= np.maximum(length, TINY)[:, None]
        self._store.features[slots] = features

    def _begin(self, free: Rows, observation: Observation) -> Rows:
        columns = free[observation.scores[free] >= self.config.min_score]
        store, count = self._store, len(columns)
        slots = store.claim(count)
        if not count:
            return slots
        store.ids[slots] = np.arange(self._last_id + 1, self._last_id + 1 + count)
        self._last_id += count
        store.started[slots] = store.seen[slots] = self._clock.now
        store.scores[slots] = observation.scores[columns]
        store.classes[slots] = observation.classes[columns]
        store.confirmed[slots] = self.config.confirm_first_frame and self._clock.frames == 1
        store.condemned[slots] = False
        store.motion[:, :, slots] = kalman.initiate(observation.measured.take(columns, axis=1))
        store.features[slots] = observation.embeddings[columns]
        return slots

    def _relist(self, partners: Partners, born: Rows) -> None:
        store = self._store
        seen, back = partners.tracked != NOBODY, partners.lost != NOBODY
        returned, waiting = self._lost[back], self._lost[~back]
        kept, missed = self._tracked[seen], self._tracked[~seen]
        confirmed = store.confirmed[missed]
        store.release(missed[~confirmed])
        store.confirmed[kept] = True
        overdue = self._clock.now - store.seen[waiting] > self._max_lost
        if self.config.strict:
            # Published programs forget a frame late, and whom they once meant to forget they
            # drop at the next miss.
            lost = np.concatenate([waiting, missed[confirmed]])
            self._lost = self._keep(lost, ~store.condemned[lost])
            store.condemned[waiting[overdue]] = True
        else:
            self._lost = np.concatenate([self._keep(waiting, ~overdue), missed[confirmed]])
        self._tracked = np.concatenate([kept, born, returned])

    def _drop_duplicates(self) -> None:
        tracked, lost, store = self._tracked, self._lost, self._store
        if not len(tracked) or not len(lost):
            return
        limit = self.config.max_duplicate_distance
        pairs, distances = overlap_distances(
            self._corners(tracked), self._corners(lost), limit=limit, margin=self._margin
        )
        same = distances < limit
        one, two = tracked[pairs.first[same]], lost[pairs.second[same]]
        alike = store.classes[one] == store.classes[two]
        one, two = one[alike], two[alike]
        if not len(one):
            return
        lead = (store.seen[one] - store.started[one]) - (store.seen[two] - store.started[two])
        # On a tie published programs drop the person in sight.
        visible_wins = lead > 0 if self.config.strict else lead >= 0
        self._tracked = self._keep(tracked, np.isin(tracked, one[~visible_wins], invert=True))
        self._lost = self._keep(lost, np.isin(lost, two[visible_wins], invert=True))

    def _report(self) -> Tracks:
        slots = self._tracked[self._store.confirmed[self._tracked]]
        return Tracks(
            ids=self._store.ids[slots],
            boxes=np.ascontiguousarray(self._corners(slots).T, np.float32),
            scores=self._store.scores[slots],
            classes=self._store.classes[slots],
        )

    def _corners(self, slots: Rows) -> Float[np.ndarray, "4 k"]:
        return kalman.corners(self._store.motion[kalman.POSITION].take(slots, axis=1))


_STATE_NAMES = {
    *COLUMNS,
    "motion",
    "features",
    "visible_count",
    "last_id",
    "embedding_dim",
    "clock",
}
