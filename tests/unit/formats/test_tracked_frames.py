"""KITTI text, JSON lines and the published report filter."""

import json
from pathlib import Path

import numpy as np
import pytest

from jde.formats.json_lines import JsonLinesWriter, read_json_lines
from jde.formats.kitti_text import KittiWriter, read_kitti
from jde.structures.errors import InputError
from jde.structures.tracks import Tracks

TWO_PEOPLE = Tracks(
    np.array([3, 9]),
    np.array([[1, 2, 11, 42.5], [0.1, 0, 50, 100]], np.float32),
    np.array([0.5, 0.75], np.float32),
    np.array([0, 1]),
)


def test_kitti_counts_frames_from_0_and_reads_back_from_1(tmp_path: Path) -> None:
    path = tmp_path / "0000.txt"
    with KittiWriter(path) as writer:
        writer.add(1, Tracks.empty())
        writer.add(2, TWO_PEOPLE)
    first = path.read_text().splitlines()[0]
    assert first == (
        "1 3 pedestrian 0 0 -10 1.0 2.0 11.0 42.5 -10 -10 -10 -1000 -1000 -1000 -10 0.5"
    )
    rows = read_kitti(path)
    assert rows.frames.tolist() == [2, 2]
    assert rows.ids.tolist() == [3, 9]
    assert rows.ltwh[0].tolist() == [1, 2, 10, 40.5]
    assert rows.confidences.tolist() == [0.5, 0.75]


def test_kitti_names_the_classes_of_a_network_of_several(tmp_path: Path) -> None:
    path = tmp_path / "0000.txt"
    with KittiWriter(path, ["person", "small car"]) as writer:
        writer.add(1, TWO_PEOPLE)
    assert [line.split()[2] for line in path.read_text().splitlines()] == ["person", "small_car"]
    assert read_kitti(path).ids.tolist() == [3]


def test_kitti_keeps_people_only_and_reads_files_without_scores(tmp_path: Path) -> None:
    path = tmp_path / "0000.txt"
    tail = "0 0 -10 1 2 3 4 -10 -10 -10 -1000 -1000 -1000 -10"
    path.write_text(f"0 1 Car {tail}\n\n0 2 Pedestrian {tail}\n")
    rows = read_kitti(path)
    assert (rows.ids.tolist(), rows.confidences.tolist()) == ([2], [1.0])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 1 pedestrian 0 0", "line 1: has 5 columns where 17 or 18 belong"),
        ("0 1 pedestrian 0 0 -10 a 2 3 4 -10 -10 -10 0 0 0 0", "line 1: could not convert"),
        ("0.5 1 pedestrian 0 0 -10 1 2 3 4 -10 -10 -10 0 0 0 0", "line 1: invalid literal"),
    ],
)
def test_kitti_fault_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "0000.txt"
    path.write_text(line)
    with pytest.raises(InputError, match=message):
        read_kitti(path)


def test_json_lines_read_back_with_empty_frames(tmp_path: Path) -> None:
    path = tmp_path / "tracks.jsonl"
    with JsonLinesWriter(path) as writer:
        writer.add(1, Tracks.empty(), seconds=0.0)
        writer.add(2, TWO_PEOPLE)
    lines = path.read_text().splitlines()
    assert json.loads(lines[0]) == {"frame": 1, "seconds": 0.0, "tracks": []}
    assert '"box":[0.1,0.0,50.0,100.0],"score":0.75,"class":1' in lines[1]
    first, second = read_json_lines(path)
    assert (first.frame, first.seconds, len(first.tracks)) == (1, 0.0, 0)
    assert (second.frame, second.seconds) == (2, None)
    for name in ("ids", "boxes", "scores", "classes"):
        assert np.array_equal(getattr(second.tracks, name), getattr(TWO_PEOPLE, name))


@pytest.mark.parametrize("line", ["{", "[]", '{"frame": 1}', '{"frame": 1, "tracks": [{}]}'])
def test_json_fault_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "tracks.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(InputError, match=r"tracks.jsonl, line 2: is no tracked frame"):
        list(read_json_lines(path))
