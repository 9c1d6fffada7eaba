import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from jde.data.prepare.caltech import read_caltech
from jde.data.prepare.seq_container import read_seq
from jde.structures.errors import InputError

Frame = list[tuple[int, tuple[float, float, float, float]]]


def write_seq(path: Path, pictures: list[bytes], stamp: bytes = bytes(8)) -> None:
    """Write a Norpix container: header of 1024 bytes, then length, JPEG and time stamp."""
    header = struct.pack("<I24sii512s", 0xFEED, "Norpix seq".encode("utf-16-le"), 3, 1024, b"")
    largest = max(map(len, pictures))
    header += struct.pack("<9id", 200, 100, 24, 8, 60000, 102, len(pictures), 0, largest, 30.0)
    records = [struct.pack("<I", len(jpeg) + 4) + jpeg + stamp for jpeg in pictures]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.ljust(1024, b"\0") + b"".join(records))


def write_vbb(path: Path, labels: list[str], frames: list[Frame]) -> None:
    """Write a video bounding box file as Piotr's toolbox does: struct A, objLists a cell."""
    kind = [(name, "O") for name in ("id", "pos", "occl", "lock", "posv")]
    lists = np.empty((1, len(frames)), object)
    for number, frame in enumerate(frames):
        rows = [(float(one), np.array([box]), 0.0, 0.0, np.zeros((1, 4))) for one, box in frame]
        lists[0, number] = np.array([rows], kind) if rows else np.zeros((0, 0))
    count = len(labels)
    annotation: dict[str, Any] = {
        "nFrame": float(len(frames)),
        "objLists": lists,
        "maxObj": float(count),
        "objInit": np.ones((1, count)),
        "objLbl": np.array([labels], object),
        "objStr": np.ones((1, count)),
        "objEnd": np.ones((1, count)),
        "objHide": np.zeros((1, count)),
        "altered": 0.0,
        "log": np.zeros((1, 20)),
        "logLen": 0.0,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(str(path), {"A": annotation}, appendmat=False)


@pytest.fixture
def caltech(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    raw = tmp_path / "caltech"
    jpegs = [picture(tmp_path / f"{name}.jpg").read_bytes() for name in ("a", "bb", "ccc")]
    write_seq(raw / "set00" / "V000.seq", jpegs)
    write_vbb(
        raw / "annotations" / "set00" / "V000.vbb",
        ["people", "person", "person?", "person"],
        [
            [(1, (0, 0, 50, 50)), (2, (20, 10, 40, 50))],
            [(3, (0, 0, 50, 50))],  # Nobody for certain: the frame is left out.
            [(4, (100, 0, 100, 100)), (2, (0, 0, 20, 10))],
        ],
    )
    write_seq(raw / "set06" / "V003.seq", jpegs[:1])
    write_vbb(raw / "annotations" / "set06" / "V003.vbb", ["person"], [[(1, (0, 0, 20, 10))]])
    return raw


def test_frames_with_people_and_running_identities(
    caltech: Path, tmp_path: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    assert prepare(read_caltech, caltech) == {
        "SET/labels_with_ids/set00_V000_0.txt": "0 0 0.200000 0.350000 0.200000 0.500000\n",
        "SET/labels_with_ids/set00_V000_2.txt": (
            "0 1 0.750000 0.500000 0.500000 1.000000\n0 0 0.050000 0.050000 0.100000 0.100000\n"
        ),
        "SET/labels_with_ids/set06_V003_0.txt": "0 2 0.050000 0.050000 0.100000 0.100000\n",
        "set.train": "SET/images/set00_V000_0.jpg\nSET/images/set00_V000_2.jpg\n",
        "set.val": "SET/images/set06_V003_0.jpg\n",
    }
    stored = tmp_path / "root" / "SET" / "images" / "set00_V000_2.jpg"
    assert stored.read_bytes() == (tmp_path / "ccc.jpg").read_bytes()


@pytest.mark.parametrize("stamp_bytes", [0, 4, 6, 8, 16])
def test_time_stamps_of_every_recorder_are_skipped(
    stamp_bytes: int, tmp_path: Path, picture: Callable[..., Path]
) -> None:
    jpegs = [picture(tmp_path / f"{name}.jpg").read_bytes() for name in ("a", "bb", "ccc")]
    write_seq(tmp_path / "V000.seq", jpegs, bytes(range(1, stamp_bytes + 1)))
    assert list(read_seq(tmp_path / "V000.seq")) == jpegs


def test_a_container_that_ends_early_is_named(caltech: Path) -> None:
    seq = caltech / "set00" / "V000.seq"
    seq.write_bytes(seq.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"V000.seq: picture 3 of 3 is cut off"):
        list(read_seq(seq))


def test_a_container_without_annotation_is_an_error(
    caltech: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    (caltech / "annotations" / "set06" / "V003.vbb").unlink()
    with pytest.raises(InputError, match=r"V003.seq: has no set06/V003.vbb; expected setNN"):
        prepare(read_caltech, caltech)


@pytest.mark.parametrize("content", [b"", b"no MATLAB file", b"MATLAB 5.0 MAT-file".ljust(200)])
def test_a_damaged_annotation_is_named(
    content: bytes, caltech: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    (caltech / "annotations" / "set00" / "V000.vbb").write_bytes(content)
    with pytest.raises(InputError, match=r"V000\.vbb: "):
        prepare(read_caltech, caltech)


def test_no_container_at_all_says_what_is_expected(
    tmp_path: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    with pytest.raises(InputError, match=r"not found; expected setNN/VNNN.seq and annotations"):
        prepare(read_caltech, tmp_path)
