"""The tracker on arrays against a literal rewrite of the published programs."""

from pathlib import Path

import numpy as np
import pytest
from tests.crowd import crowd
from tests.published_association import MINDSPORE, PADDLE, ZHONGDAO, Program, PublishedTracker
from tests.real_data import DATA, needs_data

from jde.structures.detections import Detections
from jde.structures.tracks import Tracks
from jde.tracking.config import TrackerConfig
from jde.tracking.tracker import Tracker

pytestmark = pytest.mark.parity

RECORDED = Path(__file__).with_name("recorded_stream.npz")

PROFILES = {
    "zhongdao": (TrackerConfig.zhongdao(), ZHONGDAO),
    "paddle": (TrackerConfig.paddle(), PADDLE),
    "mindspore": (TrackerConfig.mindspore(), MINDSPORE),
}

BOX_TOLERANCE = {"float64": 2e-4, "float32": 2e-3}
"""Pixels: reported boxes are float32, whose steps at 2000 pixels are 1.2e-4."""


REAL_FRAMES = 80
"""Frames of each real sequence: the literal rewrite is slow."""


def check(detections: Detections, tracker: Tracker, published: PublishedTracker) -> int:
    """Take one frame with both, compare everything, return the number of tracks."""
    expected = published.update(detections.boxes, detections.scores, detections.embeddings)
    tracks = tracker.update(detections)
    assert tracks.ids.tolist() == [track.identity for track in expected]
    if expected:
        boxes = np.array([track.box() for track in expected])
        np.testing.assert_allclose(
            tracks.boxes, boxes, atol=BOX_TOLERANCE[tracker.config.precision], rtol=0
        )
        np.testing.assert_allclose(tracks.scores, [track.score for track in expected])
    return len(expected)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("people", "frames", "frame_rate"), [(5, 300, 30.0), (20, 120, 14.0), (60, 50, 25.0)]
)
def test_crowds_get_the_published_identities_order_and_boxes(
    profile: str, people: int, frames: int, frame_rate: float
) -> None:
    config, program = PROFILES[profile]
    tracker, published = Tracker(config, frame_rate), PublishedTracker(program, frame_rate)
    reported = sum(
        check(detections, tracker, published) for detections in crowd(people, frames, seed=people)
    )
    assert reported > people * frames / 2


@pytest.mark.parametrize("profile", ["zhongdao", "paddle"])
def test_two_hundred_people_get_the_published_identities(profile: str) -> None:
    config, program = PROFILES[profile]
    tracker, published = Tracker(config, 30.0), PublishedTracker(program, 30)
    for detections in crowd(200, 25, seed=3, dim=128):
        check(detections, tracker, published)
    assert len(published.removed) > 30


@pytest.mark.parametrize("profile", ["zhongdao", "paddle"])
def test_useless_appearances_get_the_published_identities(profile: str) -> None:
    config, program = PROFILES[profile]
    tracker, published = Tracker(config, 30.0), PublishedTracker(program, 30)
    rng = np.random.default_rng(0)
    for detections in crowd(40, 40, seed=9, size=(900, 700)):
        noise = rng.normal(size=detections.embeddings.shape).astype(np.float32)
        check(Detections(detections.boxes, detections.scores, noise), tracker, published)


def stacked(frames: list[Tracks]) -> dict[str, np.ndarray]:
    """Return tracks of many frames as rows."""
    return {
        "frames": np.concatenate([np.full(len(t), i) for i, t in enumerate(frames, start=1)]),
        "ids": np.concatenate([t.ids for t in frames]),
        "boxes": np.concatenate([t.boxes for t in frames]),
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_recorded_stream_gets_the_recorded_tracks(profile: str) -> None:
    recorded = np.load(RECORDED)
    tracker = Tracker(PROFILES[profile][0], 10.0)
    found = []
    for frame in range(1, int(recorded["frames"].max()) + 1):
        rows = recorded["frames"] == frame
        embeddings = recorded["embeddings"][rows].astype(np.float32)
        found.append(
            tracker.update(
                Detections(recorded["boxes"][rows], recorded["scores"][rows], embeddings)
            )
        )
    result = stacked(found)
    np.testing.assert_array_equal(result["frames"], recorded[f"{profile}_frames"])
    np.testing.assert_array_equal(result["ids"], recorded[f"{profile}_ids"])
    np.testing.assert_allclose(result["boxes"], recorded[f"{profile}_boxes"], atol=2e-3)


def real_detections(path: Path) -> list[Detections]:
    """Return other people's detections with the place in the picture as a made-up appearance."""
    rows = np.loadtxt(path, delimiter=",", usecols=range(7), dtype=np.float32, ndmin=2)
    frames = []
    for frame in range(1, min(REAL_FRAMES, int(rows[:, 0].max())) + 1):
        _, _, left, top, width, height, score = rows[rows[:, 0] == frame].T
        boxes = np.stack([left, top, left + width, top + height], axis=1)
        phase = np.stack([left + width / 2, top + height, height], axis=1) / 60
        looks = np.concatenate([np.sin(phase), np.cos(phase)], axis=1)
        frames.append(Detections(boxes, np.clip(score, 0, 1), looks))
    return frames


def recorded_detections() -> list[Path]:
    return sorted(DATA.glob("sequences/*/det/*.txt"))


@needs_data
@pytest.mark.parametrize("profile", ["zhongdao", "paddle"])
@pytest.mark.parametrize(
    "path", recorded_detections(), ids=lambda path: f"{path.parts[-3]}-{path.stem}"
)
def test_real_detections_get_the_published_identities(path: Path, profile: str) -> None:
    config, program = PROFILES[profile]
    tracker, published = Tracker(config, 30.0), PublishedTracker(program, 30)
    for detections in real_detections(path):
        check(detections, tracker, published)
    assert published.frame > 0


def record(program: Program) -> list[Tracks]:
    """Return what the literal rewrite reports on the recorded detections."""
    published = PublishedTracker(program, 10)
    frames = []
    for detections in recorded_crowd():
        tracks = published.update(detections.boxes, detections.scores, detections.embeddings)
        boxes = np.array([track.box() for track in tracks]).reshape(-1, 4).astype(np.float32)
        ids = np.array([track.identity for track in tracks], np.int64)
        frames.append(Tracks(ids, boxes, np.zeros(len(ids), np.float32), np.zeros_like(ids)))
    return frames


def recorded_crowd() -> list[Detections]:
    """Return the detections that the recorded stream holds."""
    half = [
        Detections(d.boxes, d.scores, d.embeddings.astype(np.float16).astype(np.float32))
        for d in crowd(8, 120, seed=12, dim=8, size=(400, 300))
    ]
    return [d for d in half if len(d)]


def write_recorded_stream() -> None:
    """Make the data file anew: `PYTHONPATH=. python tests/parity/tracking/THIS_FILE`."""
    frames = recorded_crowd()
    stream: dict[str, np.ndarray] = {
        "frames": np.concatenate([np.full(len(d), i) for i, d in enumerate(frames, start=1)]),
        "boxes": np.concatenate([d.boxes for d in frames]),
        "scores": np.concatenate([d.scores for d in frames]),
        "embeddings": np.concatenate([d.embeddings for d in frames]).astype(np.float16),
    }
    for name, (_, program) in PROFILES.items():
        stream |= {f"{name}_{key}": rows for key, rows in stacked(record(program)).items()}
    np.savez_compressed(RECORDED, **stream)  # type: ignore[arg-type]  # NumPy's stub wants a flag


if __name__ == "__main__":
    write_recorded_stream()
