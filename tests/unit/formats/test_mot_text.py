from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jde.formats.mot_text import MotRows, MotWriter, read_mot, write_mot
from jde.structures.boxes import corners_to_ltwh
from jde.structures.errors import InputError
from jde.structures.tracks import Tracks


def tracks(*rows: tuple[int, float, float, float, float, float]) -> Tracks:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Tracks(
        table[:, 0].astype(np.int64),
        table[:, 1:5].copy(),
        table[:, 5].copy(),
        np.zeros(len(table), np.int64),
    )


def written(folder: Path, text: str) -> Path:
    path = folder / "rows.txt"
    path.write_text(text)
    return path


def test_ground_truth_with_class_and_visibility(tmp_path: Path) -> None:
    rows = read_mot(written(tmp_path, "1,7,10,20,30,40,0,8,0.25\n\n3,2,1.5,2,3,4,1,1,1\n"))
    assert rows.frames.tolist() == [1, 3]
    assert rows.ids.tolist() == [7, 2]
    assert rows.ltwh.tolist() == [[10, 20, 30, 40], [1.5, 2, 3, 4]]
    assert rows.confidences.tolist() == [0, 1]
    assert rows.classes.tolist() == [8, 1]
    assert rows.visibilities.tolist() == [0.25, 1]


@pytest.mark.parametrize(
    ("line", "confidence", "kind", "visibility"),
    [
        ("1,7,10,20,30,40", 1, -1, 1),
        ("1,-1,10,20,30,40,0.5", 0.5, -1, 1),
        ("1 7 10 20 30 40 0.5 1", 0.5, 1, 1),
        ("1,7,10,20,30,40,1,2,0", 1, 2, 0),
        ("1, 7, 10, 20, 30, 40, 1, -4.1, 3.5, 0", 1, -1, 1),
    ],
)
def test_columns_that_a_file_leaves_out(
    tmp_path: Path, line: str, confidence: float, kind: int, visibility: float
) -> None:
    rows = read_mot(written(tmp_path, line))
    assert rows.confidences.tolist() == [confidence]
    assert rows.classes.tolist() == [kind]
    assert rows.visibilities.tolist() == [visibility]


def test_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert len(read_mot(written(tmp_path, "\n"))) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,1,1,1,5,5\n1,2,1,1,5\n", r"rows.txt, line 2: has 5 columns where 6 belong"),
        ("1,1,1\n", r"line 1: has 3 columns where 6 to 10 belong"),
        ("1,1,1,1,5,5\n\n1,2,1,x,5,5\n", r"line 3: 'x' is no finite number"),
        ("1,1,1,1,5,nan\n", r"line 1: 'nan' is no finite number"),
        ("1,1,1,1,5,5\n\n0,2,1,1,5,5\n", r"line 3: frame and id must be whole .* got 0 and 2"),
        ("1,1.5,1,1,5,5\n", r"line 1: frame and id must be whole"),
        ("1e300,1,1,1,5,5\n", r"line 1: frame and id must be whole"),
        ("this is no table\n", r"line 1: has 4 columns"),
    ],
)
def test_fault_is_named_by_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_mot(written(tmp_path, text))


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.txt: can't be read"):
        read_mot(tmp_path / "none.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match=r"binary.txt: is no text file"):
        read_mot(tmp_path / "binary.txt")


def test_finished_frames_are_on_disk_before_the_file_is_closed(tmp_path: Path) -> None:
    with MotWriter(tmp_path / "tracks.txt") as writer:
        writer.add(1, tracks((4, 10.5, 20, 40.75, 100, 0.5)))
        text = (tmp_path / "tracks.txt").read_text()
        writer.add(2, Tracks.empty())
    assert text == "1,4,10.5,20.0,30.25,80.0,0.5,-1,-1,-1\n"
    assert (tmp_path / "tracks.txt").read_text() == text


def test_classes_are_written_as_ground_truth_counts_them(tmp_path: Path) -> None:
    two = replace(
        tracks((4, 10, 20, 40, 100, 0.5), (5, 10, 20, 40, 100, 0.5)), classes=np.array([0, 2])
    )
    with MotWriter(tmp_path / "tracks.txt", with_classes=True) as writer:
        writer.add(1, two)
    assert read_mot(tmp_path / "tracks.txt").classes.tolist() == [1, 3]


def test_writer_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be written"):
        MotWriter(tmp_path / "missing" / "tracks.txt")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 99), *[st.floats(0, 4000, width=32) for _ in range(4)]),
        max_size=5,
    )
)
def test_written_tracks_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, people: list[tuple[int, float, float, float, float]]
) -> None:
    path = tmp_path_factory.mktemp("mot") / "tracks.txt"
    given_tracks = tracks(*[(*person, 0.25) for person in people])
    with MotWriter(path) as writer:
        writer.add(3, given_tracks)
    rows = read_mot(path)
    memory = MotRows.of_tracks([(2, Tracks.empty()), (3, given_tracks)])
    assert rows.frames.tolist() == memory.frames.tolist() == [3] * len(people)
    assert rows.ids.tolist() == memory.ids.tolist() == given_tracks.ids.tolist()
    assert np.array_equal(memory.ltwh, corners_to_ltwh(given_tracks.boxes))
    assert np.array_equal(rows.ltwh.astype(np.float32), memory.ltwh.astype(np.float32))


def test_rows_survive_writing_as_ground_truth(tmp_path: Path) -> None:
    rows = MotRows(
        frames=np.array([1, 2]),
        ids=np.array([5, 6]),
        ltwh=np.array([[1234.5678, -2, 3, 4], [0, 0, 1920, 1080]], np.float64),
        confidences=np.array([1.0, 0.0]),
        classes=np.array([1, 8]),
        visibilities=np.array([0.125, 1.0]),
    )
    write_mot(tmp_path / "gt.txt", rows)
    again = read_mot(tmp_path / "gt.txt")
    for name in ("frames", "ids", "ltwh", "confidences", "classes", "visibilities"):
        assert np.array_equal(getattr(rows, name), getattr(again, name))


def test_where_takes_masks_and_row_numbers(tmp_path: Path) -> None:
    rows = read_mot(written(tmp_path, "1,1,0,0,5,5\n2,1,0,0,5,5\n"))
    assert rows.where(rows.frames == 2).frames.tolist() == [2]
    assert rows.where(np.array([1, 0])).frames.tolist() == [2, 1]
    assert len(MotRows.empty()) == 0
