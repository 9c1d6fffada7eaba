from pathlib import Path

import numpy as np
import pytest

from jde.imaging.picture_file import (
    list_pictures,
    read_picture,
    spread_pictures,
    write_picture,
)
from jde.structures.errors import InputError


def test_a_png_keeps_its_colours(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    write_picture(tmp_path / "a.png", image)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), image)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_a_damaged_picture_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged\.png: is no picture or is damaged"):
        read_picture(path)


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jpg: can't be read \(No such file"):
        read_picture(tmp_path / "gone.jpg")


def test_a_picture_without_a_place_or_format_is_refused(tmp_path: Path) -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(InputError, match="can't be written"):
        write_picture(tmp_path / "nowhere" / "a.png", image)
    with pytest.raises(InputError, match="no picture format"):
        write_picture(tmp_path / "a.xyz", image)


def test_pictures_of_a_folder_come_by_name_without_other_files(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    assert [path.name for path in list_pictures(tmp_path)] == ["a.png", "b.JPG"]


def test_a_choice_of_pictures_spreads_from_the_first_to_the_last(tmp_path: Path) -> None:
    for number in range(199):
        (tmp_path / f"{number:03d}.png").touch()
    chosen = [int(path.stem) for path in spread_pictures(tmp_path, 100)]
    assert chosen == list(range(0, 199, 2))
    assert [path.stem for path in spread_pictures(tmp_path, 3)] == ["000", "099", "198"]
    assert spread_pictures(tmp_path, 500) == list_pictures(tmp_path)


def test_a_choice_from_no_pictures_is_empty(tmp_path: Path) -> None:
    assert spread_pictures(tmp_path, 5) == []
