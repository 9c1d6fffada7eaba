from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jde.formats.mot_text import MotRows
from jde.metrics.comparison import Protocol, compare
from jde.metrics.correspondence import SwitchCounts
from jde.metrics.score_table import Score
from jde.metrics.tracking_scores import TrackingScores, score_sequence
from jde.structures.errors import InputError
from jde.structures.tracks import Tracks

Row = tuple[int, int, float]
"""Frame, identity, left; every box is 10 wide and 20 high."""

PEOPLE = 1
EVERY_PROTOCOL = pytest.mark.parametrize("protocol", ["mot", "zhongdao", "paddle"])


def rows(*boxes: Row, confidence: float = 1.0, kind: int = PEOPLE, visible: float = 1.0) -> MotRows:
    table = np.array(boxes, np.float64).reshape(-1, 3)
    count = len(table)
    return MotRows(
        frames=table[:, 0].astype(np.int64),
        ids=table[:, 1].astype(np.int64),
        ltwh=np.stack(
            [table[:, 2], np.zeros(count), np.full(count, 10.0), np.full(count, 20.0)], axis=1
        ),
        confidences=np.full(count, float(confidence)),
        classes=np.full(count, kind),
        visibilities=np.full(count, visible),
    )


def joined(*parts: MotRows) -> MotRows:
    return MotRows(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("frames", "ids", "ltwh", "confidences", "classes", "visibilities")
        )
    )


def walk(identity: int, left: float, frames: Iterable[int]) -> list[Row]:
    return [(frame, identity, left) for frame in frames]


def scored(results: MotRows, truth: MotRows, protocol: Protocol = "mot") -> dict[str, Score]:
    return score_sequence(results, truth, name="MOT17-00", protocol=protocol).as_dict()


@EVERY_PROTOCOL
def test_perfect_tracks(protocol: Protocol) -> None:
    truth = rows(*walk(4, 0, range(1, 6)), *walk(9, 50, range(3, 9)))
    results = replace(truth, ids=truth.ids + 100)
    scores = scored(results, truth, protocol)
    for share in ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR"):
        assert scores[share] == pytest.approx(1)
    assert (scores["recall"], scores["precision"]) == (1, 1)
    assert (scores["GT"], scores["MT"], scores["TP"], scores["IDTP"]) == (2, 2, 11, 11)
    for error in ("PT", "ML", "FP", "FN", "IDs", "FM", "IDt", "IDa", "IDm", "IDFP", "IDFN"):
        assert scores[error] == 0


@pytest.mark.parametrize("protocol", ["mot", "zhongdao"])
def test_empty_results_miss_everyone(protocol: Protocol) -> None:
    scores = scored(MotRows.empty(), rows(*walk(1, 0, range(1, 6))), protocol)
    assert (scores["FN"], scores["IDFN"], scores["ML"], scores["GT"]) == (5, 5, 1, 1)
    assert (scores["MOTA"], scores["HOTA"], scores["IDF1"]) == (0, 0, 0)


@EVERY_PROTOCOL
def test_without_ground_truth_all_boxes_are_false_alarms(protocol: Protocol) -> None:
    scores = scored(rows(*walk(1, 0, range(1, 6))), MotRows.empty(), protocol)
    assert (scores["FP"], scores["IDFP"], scores["GT"], scores["FN"]) == (5, 5, 0, 0)
    assert (scores["MOTA"], scores["HOTA"], scores["IDF1"]) == (0, 0, 0)


@EVERY_PROTOCOL
def test_nothing_at_all(protocol: Protocol) -> None:
    scores = scored(MotRows.empty(), MotRows.empty(), protocol)
    assert all(value == 0 for name, value in scores.items() if name != "LocA")


@EVERY_PROTOCOL
def test_one_switch_to_a_new_track(protocol: Protocol) -> None:
    truth = rows(*walk(1, 0, range(1, 11)))
    results = rows(*walk(7, 0, range(1, 7)), *walk(8, 0, range(7, 11)))
    scores = scored(results, truth, protocol)
    assert (scores["IDs"], scores["IDa"], scores["IDt"], scores["IDm"]) == (1, 1, 0, 0)
    assert (scores["FM"], scores["FN"], scores["FP"]) == (0, 0, 0)
    assert scores["MOTA"] == pytest.approx(0.9)
    assert scores["IDF1"] == pytest.approx(0.6)
    assert scores["AssA"] == pytest.approx((6 * 0.6 + 4 * 0.4) / 10)


@EVERY_PROTOCOL
def test_one_fragmentation_keeps_the_identity(protocol: Protocol) -> None:
    truth = rows(*walk(1, 0, range(1, 11)), *walk(2, 50, range(1, 11)))
    results = rows(*walk(7, 0, [1, 2, 3, 4, 7, 8, 9, 10]), *walk(8, 50, range(1, 11)))
    scores = scored(results, truth, protocol)
    assert (scores["FM"], scores["IDs"], scores["FN"]) == (1, 0, 2)
    assert scores["IDF1"] == pytest.approx(2 * 18 / (20 + 18))


@EVERY_PROTOCOL
def test_swapped_identities(protocol: Protocol) -> None:
    truth = rows(*walk(1, 0, range(1, 11)), *walk(2, 50, range(1, 11)))
    results = rows(
        *walk(7, 0, range(1, 6)),
        *walk(7, 50, range(6, 11)),
        *walk(8, 50, range(1, 6)),
        *walk(8, 0, range(6, 11)),
    )
    scores = scored(results, truth, protocol)
    assert (scores["IDs"], scores["IDt"], scores["IDa"], scores["IDm"]) == (2, 2, 0, 0)
    assert scores["IDF1"] == pytest.approx(0.5)
    assert scores["MOTA"] == pytest.approx(0.9)
    assert scores["AssA"] == pytest.approx(1 / 3)


def test_track_that_takes_a_new_person_migrates() -> None:
    truth = rows(*walk(1, 0, range(1, 6)), *walk(2, 50, range(6, 11)))
    scores = scored(rows(*walk(7, 0, range(1, 6)), *walk(7, 50, range(6, 11))), truth)
    assert (scores["IDs"], scores["IDt"], scores["IDa"], scores["IDm"]) == (0, 1, 0, 1)


def test_only_paddle_forgives_frames_without_output() -> None:
    truth = rows(*walk(1, 0, range(1, 11)))
    results = rows(*walk(7, 0, range(1, 7)))
    assert [scored(results, truth, one)["FN"] for one in ("mot", "zhongdao", "paddle")] == [4, 4, 0]


@pytest.mark.parametrize(("protocol", "expected"), [("mot", (0, 2, 0)), ("zhongdao", (1, 1, 0))])
def test_four_fifths_is_mostly_tracked_for_the_published_programs_only(
    protocol: Protocol, expected: tuple[int, int, int]
) -> None:
    truth = rows(*walk(1, 0, range(1, 6)), *walk(2, 50, range(1, 6)))
    results = rows(*walk(7, 0, range(1, 5)), *walk(8, 50, range(1, 2)))
    scores = scored(results, truth, protocol)
    assert (scores["MT"], scores["PT"], scores["ML"]) == expected


def test_gap_outside_the_picture_is_a_fragment_for_the_official_evaluator_only() -> None:
    truth = rows(*walk(1, 0, [1, 2, 5, 6]), *walk(2, 50, range(1, 7)))
    results = replace(truth, ids=truth.ids + 6)
    assert scored(results, truth, "mot")["FM"] == 1
    assert scored(results, truth, "zhongdao")["FM"] == 0


def test_first_of_two_people_keeps_the_track_that_both_remember() -> None:
    truth = rows((1, 1, 0), (2, 2, 0), (3, 2, 1), (3, 1, 0))
    results = rows((1, 7, 0), (2, 7, 0), (3, 7, 0))
    counts = score_sequence(results, truth, name="MOT17-00", protocol="zhongdao")
    assert (counts.clear.found, counts.clear.switches) == (3, 0)
    assert counts.kinds == SwitchCounts(transfers=1, migrations=1)


@EVERY_PROTOCOL
@pytest.mark.parametrize("kind", [2, 7, 8, 12])
def test_box_on_a_distractor_is_removed(protocol: Protocol, kind: int) -> None:
    people = rows(*walk(1, 0, range(1, 6)))
    truth = joined(people, rows(*walk(3, 90, range(1, 6)), kind=kind, confidence=0))
    results = joined(people, rows(*walk(3, 92, range(1, 6))))
    scores = scored(results, truth, protocol)
    assert (scores["FP"], scores["TP"], scores["GT"], scores["IDFP"]) == (0, 5, 1, 0)


@EVERY_PROTOCOL
@pytest.mark.parametrize(("kind", "confidence"), [(1, 0), (3, 1), (6, 0)])
def test_box_on_what_is_ignored_but_no_distractor_is_a_false_alarm(
    protocol: Protocol, kind: int, confidence: float
) -> None:
    truth = rows(*walk(3, 90, range(1, 6)), kind=kind, confidence=confidence)
    scores = scored(rows(*walk(3, 90, range(1, 6))), truth, protocol)
    assert (scores["FP"], scores["GT"]) == (5, 0)


def test_non_mot_vehicles_distract_in_mot20() -> None:
    truth = rows((1, 3, 90), kind=6, confidence=0)
    results = rows((1, 3, 90))
    for name, false_alarms in (("MOT20-01", 0), ("MOT17-02", 1)):
        assert score_sequence(results, truth, name=name).clear.false_alarms == false_alarms


def test_person_wins_the_box_that_a_distractor_overlaps_less_in_the_official_rules_only() -> None:
    truth = joined(rows((1, 1, 0)), rows((1, 2, 2), kind=8, confidence=0))
    results = rows((1, 7, 0))
    assert scored(results, truth, "mot")["TP"] == 1
    # The published programs don't ask whom else the box might belong to.
    assert scored(results, truth, "zhongdao")["TP"] == 0


@pytest.mark.parametrize(("protocol", "false_alarms"), [("mot", 1), ("zhongdao", 0), ("paddle", 0)])
def test_negative_visibility_is_ignored_by_the_published_programs(
    protocol: Protocol, false_alarms: int
) -> None:
    truth = rows((1, 3, 90), visible=-1.0, kind=9, confidence=0)
    assert scored(rows((1, 3, 90)), truth, protocol)["FP"] == false_alarms


def test_published_programs_look_at_classes_by_the_name_of_the_sequence() -> None:
    truth = rows((1, 3, 90), kind=8, confidence=0)
    results = rows((1, 3, 90))

    def counts(name: str, protocol: Protocol) -> tuple[int, int]:
        clear = score_sequence(results, truth, name=name, protocol=protocol).clear
        return clear.found, clear.false_alarms

    assert counts("MOT16-02", "zhongdao") == (0, 0)
    assert counts("MOT20-02", "zhongdao") == (1, 0)
    assert counts("MOT20-02", "paddle") == (0, 0)
    assert counts("street", "paddle") == (0, 1)


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_ground_truth_without_classes_holds_people_only(confidence: float) -> None:
    truth = rows((1, 1, 0), kind=-1, confidence=confidence)
    assert scored(rows((1, 7, 0)), truth)["TP"] == confidence


@pytest.mark.parametrize(
    ("results", "truth", "message"),
    [
        (rows((2, 7, 0), (2, 7, 50)), rows(), "the result file holds identity 7 twice in frame 2"),
        (rows(), rows((3, 1, 0), (3, 1, 9)), "the ground truth holds identity 1 twice in frame 3"),
        (rows((1, -1, 0)), rows(), "these are detections, not tracks"),
        (rows((1, 1, 0), kind=3), rows(), "the results hold class 3; only people"),
    ],
)
def test_bad_rows_are_refused(results: MotRows, truth: MotRows, message: str) -> None:
    with pytest.raises(InputError, match=f"street: .*{message}|street: {message}"):
        score_sequence(results, truth, name="street")


def test_tracks_in_memory_are_scored() -> None:
    boxes = np.array([[0, 0, 10, 20]], np.float32)
    frame = Tracks(np.array([7]), boxes, np.ones(1, np.float32), np.zeros(1, np.int64))
    results = MotRows.of_tracks([(1, frame), (2, Tracks.empty()), (3, frame)])
    scores = scored(results, rows(*walk(1, 0, range(1, 4))))
    assert (scores["TP"], scores["FN"], scores["FM"]) == (2, 1, 0)


def test_sequences_add_up_by_their_boxes() -> None:
    truth = rows(*walk(1, 0, range(1, 11)))
    good = score_sequence(truth, truth)
    bad = score_sequence(rows(*walk(7, 0, range(1, 3))), truth)
    both = (good + bad).as_dict()
    assert (both["TP"], both["FN"], both["GT"], both["MT"], both["PT"]) == (12, 8, 2, 1, 1)
    assert both["MOTA"] == pytest.approx(12 / 20)
    assert both["DetA"] == pytest.approx(12 / 20)
    assert both["AssA"] == pytest.approx((10 * 1 + 2 * 0.2) / 12)
    assert both["IDF1"] == pytest.approx(2 * 12 / (20 + 12))
    assert (TrackingScores.zero() + bad).as_dict() == bad.as_dict()


crowd = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 12).map(float)),
    max_size=10,
    unique_by=lambda row: row[:2],
)


@given(crowd, crowd, st.permutations(range(3)))
@settings(max_examples=20, deadline=None)
def test_names_of_identities_do_not_matter(
    results: list[Row], truth: list[Row], names: list[int]
) -> None:
    renamed = [(frame, 10 + names[identity - 1], left) for frame, identity, left in results]
    for protocol in ("mot", "zhongdao"):
        before = scored(rows(*results), rows(*truth), protocol)
        after = scored(rows(*renamed), rows(*truth), protocol)
        assert before == pytest.approx(after)


@given(crowd, crowd)
@settings(max_examples=20, deadline=None)
def test_counts_are_consistent(results: list[Row], truth: list[Row]) -> None:
    for protocol in ("mot", "zhongdao"):
        scores = scored(rows(*results), rows(*truth), protocol)
        assert scores["TP"] + scores["FN"] == scores["IDTP"] + scores["IDFN"] == len(truth)
        assert scores["TP"] + scores["FP"] == scores["IDTP"] + scores["IDFP"] == len(results)
        assert scores["MT"] + scores["PT"] + scores["ML"] == scores["GT"]
        assert scores["GT"] == len({identity for _, identity, _ in truth})
        assert scores["IDa"] <= scores["IDs"]
        assert scores["IDm"] <= scores["IDt"]
        for share in ("HOTA", "DetA", "AssA", "LocA", "IDF1", "recall", "precision"):
            assert 0 <= scores[share] <= 1 + 1e-12


@given(crowd, crowd)
@settings(max_examples=20, deadline=None)
def test_identity_is_the_best_of_all_pairings(results: list[Row], truth: list[Row]) -> None:
    comparison = compare(rows(*results), rows(*truth), name="street")
    people, tracks = len(comparison.person_boxes), len(comparison.track_boxes)
    together = np.zeros((3, 3))
    for frame in comparison.frames:
        for row, person in enumerate(frame.people):
            for column, track in enumerate(frame.tracks):
                together[person, track] += frame.overlaps[row, column] >= 0.5
    best = max(
        sum(together[row, column] for row, column in enumerate(order))
        for order in permutations(range(3))
    )
    assert max(people, tracks) <= 3
    assert scored(rows(*results), rows(*truth))["IDTP"] == best
