from pathlib import Path

import numpy as np
import pytest

from jde.formats.jde_labels import label_path, read_labels, write_labels
from jde.structures.errors import InputError


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.txt"
    path.write_text(text)
    return path


def test_labels_survive_writing(tmp_path: Path) -> None:
    labels = np.array([[0, -1, 0.5, 0.25, 0.125, 0.5], [0, 12, -0.1, 0.9, 0.3, 1.4]])
    write_labels(tmp_path / "labels.txt", labels)
    assert np.array_equal(read_labels(tmp_path / "labels.txt"), labels)


def test_empty_file_has_no_labels(tmp_path: Path) -> None:
    assert read_labels(written(tmp_path, "")).shape == (0, 6)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 1 0.5 0.5 0.1", "has 5 columns where 6 belong"),
        ("0 1 0.5 0.5 0.1 0.1 1", "has 7 columns where 6 belong"),
        ("0 1 nan 0.5 0.1 0.1", "'nan' is no finite number"),
        ("0 1 1.2 0.5 0.1 0.1", "the box lies outside the picture"),
        ("0 1 0.5 -0.2 0.1 0.1", "the box lies outside the picture"),
        ("0 1 640 360 100 200", "the box lies outside the picture"),
        ("0 1 0.5 0.5 0 0.1", "width and height must be shares"),
        ("0 1 0.5 0.5 0.1 -0.1", "width and height must be shares"),
        ("0 1 0.5 0.5 0.1 2.5", "width and height must be shares"),
        ("0 -2 0.5 0.5 0.1 0.1", "class must be a whole number"),
        ("0 1.5 0.5 0.5 0.1 0.1", "class must be a whole number"),
        ("-1 1 0.5 0.5 0.1 0.1", "class must be a whole number"),
    ],
)
def test_fault_is_named_by_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path, f"0 1 0.5 0.5 0.2 0.2\n\n{line}\n")
    with pytest.raises(InputError, match=rf"labels.txt, line 3: {message}"):
        read_labels(path)


@pytest.mark.parametrize("line", ["0 1 1.01 0.5 0.1 0.1", "0 1 0.5 0.5 0.1 1.1"])
def test_only_strict_reading_refuses_people_at_the_edge(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, line)
    assert len(read_labels(path)) == 1
    with pytest.raises(InputError, match="line 1"):
        read_labels(path, strict=True)


def test_label_path_replaces_every_images() -> None:
    picture = Path("data/images/mot17/images/000001.jpg")
    expected = Path("data/labels_with_ids/mot17/labels_with_ids/000001.txt")
    assert label_path(picture) == expected
