import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.crowd import crowd

from jde.structures.detections import Detections
from jde.structures.errors import InputError
from jde.structures.tracks import Tracks
from jde.tracking.config import TrackerConfig
from jde.tracking.tracker import Tracker

DEFAULT, ZHONGDAO, PADDLE = TrackerConfig(), TrackerConfig.zhongdao(), TrackerConfig.paddle()
NOBODY = Detections.empty(4)


def people(*left: float, looks: str = "abcdefgh", score: float = 0.9) -> Detections:
    """Boxes of one size at the given left edges; each letter is another appearance."""
    boxes = [[x, 100, x + 40, 200] for x in left]
    axes = np.eye(8, dtype=np.float32)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(left), score, np.float32),
        axes[["abcdefgh".index(letter) for letter in looks[: len(left)]]],
    )


def last_tracks(tracker: Tracker, frames: Iterable[Detections]) -> Tracks:
    """Return what the tracker reports on the last of some frames."""
    tracks = Tracks.empty()
    for detections in frames:
        tracks = tracker.update(detections)
    return tracks


def presence(config: TrackerConfig, pattern: str, *, frame_rate: float = 30.0) -> list[list[int]]:
    """Return the identities of each frame for one person who is there at each `1`."""
    tracker = Tracker(config, frame_rate)
    present = people(50)
    return [tracker.update(present if there == "1" else NOBODY).ids.tolist() for there in pattern]


@pytest.mark.parametrize("config", [DEFAULT, ZHONGDAO, TrackerConfig.mindspore()])
def test_person_is_reported_from_the_second_sighting_in_a_row(config: TrackerConfig) -> None:
    assert presence(config, "01011101") == [[], [], [], [], [2], [2], [], [2]]


def test_first_frame_is_reported_at_once_by_paddle_and_by_default_only() -> None:
    assert presence(DEFAULT, "11")[0] == presence(PADDLE, "11")[0] == [1]
    assert presence(ZHONGDAO, "11") == [[], [1]]


@pytest.mark.parametrize("frame_rate", [14.0, 25.0, 30.0, 60.0])
def test_published_buffer_forgets_one_frame_late(frame_rate: float) -> None:
    kept = presence(ZHONGDAO, "11" + "0" * (int(frame_rate) + 1) + "11", frame_rate=frame_rate)
    assert kept[-2:] == [[1], [1]]
    forgotten = presence(ZHONGDAO, "11" + "0" * (int(frame_rate) + 2) + "11", frame_rate=frame_rate)
    assert forgotten[-2:] == [[], [2]]


def test_published_programs_drop_a_late_returner_at_the_next_miss() -> None:
    pattern = "11" + "0" * 31 + "110111"
    assert presence(ZHONGDAO, pattern)[-6:] == [[1], [1], [], [], [2], [2]]


@pytest.mark.parametrize("frame_rate", [14.0, 25.0, 30.0, 60.0])
def test_default_buffer_lasts_as_long_as_it_says(frame_rate: float) -> None:
    kept = presence(DEFAULT, "11" + "0" * int(frame_rate) + "101", frame_rate=frame_rate)
    assert kept[-3:] == [[1], [], [1]]
    forgotten = presence(DEFAULT, "11" + "0" * (int(frame_rate) + 1) + "11", frame_rate=frame_rate)
    assert forgotten[-2:] == [[], [2]]


@pytest.mark.parametrize("rate", [30.0, 7.5])
def test_buffer_follows_the_clock_when_frames_have_time_stamps(rate: float) -> None:
    for absent, identity in ((1.9, 1), (2.2, 2)):
        tracker = Tracker(replace(DEFAULT, max_lost_seconds=2.0), frame_rate=30.0)
        times = np.arange(0, 1, 1 / rate)
        for seconds in times:
            tracker.update(people(50), float(seconds))
        for seconds in np.arange(times[-1] + 1 / rate, times[-1] + absent, 1 / rate):
            tracker.update(NOBODY, float(seconds))
        back = float(times[-1] + absent + 0.01)
        tracker.update(people(50), back)
        tracks = tracker.update(people(50), back + 1 / rate)
        assert tracks.ids.tolist() == [identity]


def test_pause_longer_than_the_buffer_makes_everybody_new() -> None:
    tracker = Tracker(DEFAULT, frame_rate=30.0)
    for seconds in (0.0, 1 / 30, 2 / 30):
        tracker.update(people(50), seconds)
    assert tracker.update(people(50), 60.0).ids.tolist() == []
    assert tracker.update(people(50), 60 + 1 / 30).ids.tolist() == [2]


def test_time_lapse_slower_than_the_buffer_is_still_tracked() -> None:
    tracker = Tracker(DEFAULT, frame_rate=30.0)
    found = [tracker.update(people(50), 10.0 * index).ids.tolist() for index in range(6)]
    assert found == [[1]] * 6


def test_fast_walker_keeps_the_identity_over_a_dropped_frame_only_by_the_clock() -> None:
    def last_identity(*, stamped: bool) -> list[int]:
        tracker = Tracker(replace(DEFAULT, use_embeddings=False), frame_rate=10.0)
        tracks = Tracks.empty()
        for index in [*range(12), 15, 16]:
            seconds = index / 10 if stamped else None
            tracks = tracker.update(people(50.0 + 15 * index), seconds)
        return tracks.ids.tolist()

    assert last_identity(stamped=True) == [1]
    assert last_identity(stamped=False) != [1]


def test_appearance_tells_people_apart_who_change_places() -> None:
    tracker = Tracker()
    for _ in range(5):
        tracker.update(people(50, 60))
    tracks = tracker.update(people(50, 60, looks="ba"))
    assert tracks.boxes[tracks.ids == 1][0, 0] > tracks.boxes[tracks.ids == 2][0, 0]


def test_without_embeddings_motion_alone_follows_and_finds_again() -> None:
    tracker, tracks = Tracker(), Tracks.empty()
    for index in range(30):
        there = index not in {10, 11, 12}
        both = people(50.0 + 4 * index, 700.0 - 4 * index) if there else NOBODY
        tracks = tracker.update(Detections(both.boxes, both.scores))
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.boxes[0, 0] < tracks.boxes[1, 0]


def test_embeddings_can_be_switched_off_for_comparison() -> None:
    off = Tracker(replace(DEFAULT, use_embeddings=False))
    without = Tracker()
    for detections in crowd(10, 40, seed=3):
        bare = Detections(detections.boxes, detections.scores)
        expected = without.update(bare)
        tracks = off.update(detections)
        np.testing.assert_array_equal(tracks.ids, expected.ids)
        np.testing.assert_array_equal(tracks.boxes, expected.boxes)


def test_classes_are_never_mixed() -> None:
    tracker = Tracker()
    same = people(50, 50, looks="aa")
    orders = [np.array(order) for order in ([0, 1], [1, 0], [0, 1])]
    tracks = last_tracks(tracker, [replace(same, classes=order) for order in orders])
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.classes.tolist() == [0, 1]


def test_weak_detection_continues_a_track_but_starts_none() -> None:
    tracker = Tracker()
    tracker.update(people(50))
    weak = people(52, 400, score=0.4)
    tracks = last_tracks(tracker, [weak] * 3)
    assert tracks.ids.tolist() == [1]
    assert tracks.scores.tolist() == pytest.approx([0.4])


def test_score_of_a_returner_is_new_by_default_and_old_as_published() -> None:
    for config, score in ((DEFAULT, 0.6), (PADDLE, 0.9)):
        tracker = Tracker(config)
        tracks = last_tracks(tracker, (people(50), people(50), NOBODY, people(50, score=0.6)))
        assert tracks.scores.tolist() == pytest.approx([score])


def test_lost_double_of_a_visible_person_is_dropped() -> None:
    tracker = Tracker()
    for _ in range(3):
        tracker.update(people(50))
    # The same box with another face: overlap continues the track, and nobody else is made.
    tracks = last_tracks(tracker, [people(50, looks="b")] * 3)
    assert tracks.ids.tolist() == [1]
    tracks = last_tracks(tracker, [people(50, 300, looks="bc")] * 3)
    assert tracks.ids.tolist() == [1, 2]


def test_on_a_tie_default_keeps_the_visible_one_and_published_programs_the_lost_one() -> None:
    found = {}
    for name, config in (("default", DEFAULT), ("paddle", PADDLE)):
        tracker = Tracker(config)
        other_look = people(50, looks="b")
        tracks = last_tracks(tracker, (people(50), NOBODY, other_look, other_look, other_look))
        found[name] = tracks.ids.tolist()
    assert found == {"default": [2], "paddle": []}


def test_tiny_boxes_overlap_in_whole_pixels_as_published_and_exactly_by_default() -> None:
    found = {}
    for name, config in (("default", DEFAULT), ("paddle", PADDLE)):
        tracker = Tracker(config)
        boxes = [np.array([[x, 50, x + 4, 58]], np.float32) for x in (100, 101.6)]
        tracker.update(replace(people(0), boxes=boxes[0]))
        tracks = tracker.update(replace(people(0, looks="b"), boxes=boxes[1]))
        found[name] = tracks.ids.tolist()
    # 3.4 shared of 6.6 pixels across make an IoU of 0.52; 2.4 of 5.6 make 0.43.
    assert found == {"default": [], "paddle": [1]}


def test_identities_start_at_one_in_every_tracker_and_thread() -> None:
    found: list[list[int]] = []

    def run() -> None:
        tracker = Tracker()
        tracks = last_tracks(tracker, [people(50, 300)] * 50)
        found.append(tracks.ids.tolist())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[1, 2]] * 4


def test_nobody_at_all_is_fine() -> None:
    tracker = Tracker()
    for detections in (Detections.empty(), NOBODY, people(50), Detections.empty(), NOBODY):
        assert len(tracker.update(detections)) == 0


def test_embedding_dimension_may_not_change() -> None:
    tracker = Tracker()
    tracker.update(people(50))
    with pytest.raises(InputError, match=r"4 columns .* 8.*new Tracker"):
        tracker.update(replace(people(50), embeddings=np.ones((1, 4), np.float32)))
    with pytest.raises(InputError, match="0 columns"):
        tracker.update(Detections(people(50).boxes, people(50).scores))


def test_refused_frame_leaves_the_tracker_as_it_was() -> None:
    tracker, other = Tracker(), Tracker()
    for _ in range(3):
        tracker.update(people(50), None)
        other.update(people(50), None)
    bad = replace(people(50), boxes=np.full((1, 4), np.nan, np.float32))
    with pytest.raises(InputError, match="not finite"):
        tracker.update(bad)
    np.testing.assert_array_equal(tracker.update(people(55)).boxes, other.update(people(55)).boxes)


def test_detections_are_not_changed() -> None:
    detections = next(iter(crowd(20, 1, seed=1)))
    before = [array.copy() for array in (detections.boxes, detections.embeddings)]
    tracker = Tracker()
    for _ in range(3):
        tracker.update(detections).boxes[:] = 0
    np.testing.assert_array_equal(detections.boxes, before[0])
    np.testing.assert_array_equal(detections.embeddings, before[1])
    assert tracker.update(detections).boxes.any()


@pytest.mark.parametrize("config", [DEFAULT, ZHONGDAO, PADDLE])
def test_tracker_restored_from_a_file_goes_on_as_if_nothing_had_happened(
    config: TrackerConfig, tmp_path: Path
) -> None:
    frames = list(crowd(15, 90, seed=8))
    expected = Tracks.empty()
    straight, first, second = (Tracker(config, 10.0) for _ in range(3))
    for index, detections in enumerate(frames):
        seconds = index / 10 + (index % 3) / 100
        expected = straight.update(detections, seconds)
        if index == 45:
            np.savez(tmp_path / "state.npz", **first.state())  # type: ignore[arg-type]  # a flag in the stub
            with np.load(tmp_path / "state.npz") as state:
                second.restore(state)
        tracks = (first if index < 45 else second).update(detections, seconds)
        np.testing.assert_array_equal(tracks.ids, expected.ids)
        np.testing.assert_array_equal(tracks.boxes, expected.boxes)
    assert len(expected)


def test_saved_state_with_something_missing_is_refused_by_name() -> None:
    state = Tracker().state()
    del state["motion"], state["clock"]
    with pytest.raises(InputError, match="lacks clock, motion"):
        Tracker().restore(state)


def test_memory_follows_people_and_not_frames() -> None:
    tracker = Tracker(replace(ZHONGDAO, max_lost_seconds=0.2))
    sizes = []
    for detections in crowd(12, 400, seed=4, false_alarms=0.3, dim=8):
        tracker.update(detections)
        sizes.append(len(tracker._store.ids))  # noqa: SLF001 (memory has no public view)
    assert sizes[-1] == sizes[50] < 200
    assert tracker.state()["ids"].max() > 900
