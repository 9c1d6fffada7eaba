import csv
import json
from pathlib import Path

import pytest

from jde.commands.evaluate_tracking import EvaluateTrackingOptions, run
from jde.formats.seqinfo import SequenceInfo, write_seqinfo
from jde.metrics.result_files import pair_files
from jde.metrics.tracking_report import evaluate_tracking
from jde.structures.errors import InputError

TRUTH = "".join(f"{frame},1,0,0,10,20,1,1,1\n" for frame in range(1, 11))
RESULT = "".join(f"{frame},7,1,0,10,20,1,-1,-1,-1\n" for frame in range(1, 6))


def make_sequence(folder: Path) -> Path:
    (folder / "gt").mkdir(parents=True)
    (folder / "gt" / "gt.txt").write_text(TRUTH)
    return folder


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    results, truths = tmp_path / "results", tmp_path / "truths"
    results.mkdir()
    for name in ("a", "b"):
        make_sequence(truths / name)
        (results / f"{name}.txt").write_text(RESULT)
    return results, truths


def test_one_file_against_one_sequence(tmp_path: Path) -> None:
    truth = make_sequence(tmp_path / "street")
    (tmp_path / "anything.txt").write_text(RESULT)
    for ground_truth in (truth, truth / "gt" / "gt.txt"):
        report = evaluate_tracking(tmp_path / "anything.txt", ground_truth)
        assert list(report.sequences) == ["street"]
        assert report.overall.clear.found == 5


def test_loose_ground_truth_file_is_called_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "truth.txt").write_text(TRUTH)
    (tmp_path / "result.txt").write_text(RESULT)
    (only,) = pair_files(tmp_path / "result.txt", tmp_path / "truth.txt")
    assert only.name == tmp_path.name


def test_folders_are_paired_by_name(two: tuple[Path, Path]) -> None:
    report = evaluate_tracking(*map(str, two))
    assert list(report.sequences) == ["a", "b"]
    assert report.as_dict()["OVERALL"]["FN"] == 10


def test_folders_that_track_wrote_are_paired(tmp_path: Path) -> None:
    truth = make_sequence(tmp_path / "truths" / "a")
    (tmp_path / "output" / "a").mkdir(parents=True)
    (tmp_path / "output" / "a" / "tracks.txt").write_text(RESULT)
    many = pair_files(tmp_path / "output", tmp_path / "truths")
    one = pair_files(tmp_path / "output" / "a", truth)
    assert many == one


def test_missing_and_left_over_files_are_named(two: tuple[Path, Path]) -> None:
    results, truths = two
    (results / "c.txt").write_text(RESULT)
    with pytest.raises(InputError, match=r"c.txt: belongs to no sequence of .*, which has a, b"):
        evaluate_tracking(results, truths)
    (results / "b.txt").unlink()
    with pytest.raises(InputError, match=r"results: has no result file for b; expected .*b.txt"):
        evaluate_tracking(results, truths)


def test_pattern_chooses_sequences(two: tuple[Path, Path]) -> None:
    results, truths = two
    make_sequence(truths / "c-SDP")
    (results / "c-SDP.txt").write_text(RESULT)
    for name in ("a", "b"):
        (results / f"{name}.txt").unlink()
    assert list(evaluate_tracking(results, truths, pattern="*-SDP").sequences) == ["c-SDP"]


def test_what_can_not_be_paired_is_named(two: tuple[Path, Path]) -> None:
    results, truths = two
    with pytest.raises(InputError, match="none: there is no such result file"):
        evaluate_tracking(results / "none", truths)
    with pytest.raises(InputError, match="results: holds no ground truth"):
        evaluate_tracking(results, results)
    with pytest.raises(InputError, match=r"holds 2 sequences where .*a.txt is the result of one"):
        evaluate_tracking(results / "a.txt", truths)


def test_command_prints_a_table_and_writes_exact_files(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    options = EvaluateTrackingOptions(
        results=two[0], ground_truth=two[1], json=tmp_path / "s.json", csv=tmp_path / "s.csv"
    )
    lines = run(options).splitlines()
    assert [line.split()[0] for line in lines] == ["HOTA", "a", "b", "OVERALL"]
    assert len(set(map(len, lines))) == 1
    columns = dict(zip(lines[0].split(), lines[1].split()[1:], strict=True))
    assert (columns["MOTA"], columns["MOTP"], columns["FN"]) == ("50.00", "81.82", "5")
    content = json.loads((tmp_path / "s.json").read_text())
    assert content["protocol"] == "mot"
    assert content["sequences"]["a"]["MOTP"] == pytest.approx(9 / 11, abs=1e-15)
    table = list(csv.DictReader((tmp_path / "s.csv").read_text().splitlines()))
    assert [row["sequence"] for row in table] == ["a", "b", "OVERALL"]
    assert {name: float(table[-1][name]) for name in content["overall"]} == content["overall"]


def test_each_class_is_scored_among_its_own(tmp_path: Path) -> None:
    (tmp_path / "a" / "gt").mkdir(parents=True)
    rows = [(1, 1, 0, 1), (1, 2, 50, 3), (2, 1, 0, 1), (2, 2, 50, 3)]
    # MOTChallenge marks what is no pedestrian with 0.
    truth = "".join(
        f"{frame},{who},{x},0,10,20,{int(kind == 1)},{kind},1\n" for frame, who, x, kind in rows
    )
    (tmp_path / "a" / "gt" / "gt.txt").write_text(truth)
    # The second thing is a person in the first frame only; a car where a person stands is wrong.
    found = [(1, 7, 0, 1), (1, 8, 50, 3), (2, 7, 0, 1), (2, 9, 50, 1), (2, 8, 0, 3)]
    text = "".join(f"{frame},{who},{x},0,10,20,0.9,{kind},1\n" for frame, who, x, kind in found)
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(InputError, match=r"hold class 3; only people .* --class-number 1"):
        evaluate_tracking(tmp_path / "a.txt", tmp_path / "a")

    def counts(number: int) -> tuple[int, int, int]:
        clear = evaluate_tracking(
            tmp_path / "a.txt", tmp_path / "a", class_number=number
        ).overall.clear
        return clear.found, clear.missed, clear.false_alarms

    # To MOTChallenge a box on a car is a false alarm, too.
    assert counts(1) == (2, 0, 1)
    assert counts(3) == (1, 1, 1)


def test_published_protocols_report_motp_as_a_distance(two: tuple[Path, Path]) -> None:
    row = evaluate_tracking(*two, protocol="zhongdao").as_dict()["a"]
    assert row["MOTP"] == pytest.approx(2 / 11)


def test_frames_beyond_the_sequence_are_false_alarms_and_told(
    two: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    results, truth = two[0] / "a.txt", two[1] / "a"
    info = SequenceInfo("a", truth / "img1", 30.0, 10, 64, 48)
    write_seqinfo(truth, info)
    assert evaluate_tracking(results, truth).overall.clear.false_alarms == 0
    assert not caplog.records
    results.write_text(RESULT + "11,7,1,0,10,20,1,-1,-1,-1\n")
    assert evaluate_tracking(results, truth).overall.clear.false_alarms == 1
    assert "frames up to 11 where the sequence has 10" in caplog.text
