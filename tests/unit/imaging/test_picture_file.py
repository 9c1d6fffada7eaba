from pathlib import Path

import numpy as np
import pytest

from jde.imaging.picture_file import list_pictures, read_picture, write_picture
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
