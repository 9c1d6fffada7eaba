from pathlib import Path

import numpy as np
import pytest
from tests.numbered_video import picture

from jde.imaging.picture_file import write_picture
from jde.structures.errors import InputError
from jde.video.reading import read_video


def fill(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        write_picture(folder / name, picture(number))


def test_folder_gives_its_pictures_by_name(tmp_path: Path) -> None:
    fill(tmp_path / "walk", ["a.png", "b.png", "c.png"])
    video = read_video(tmp_path / "walk", frame_rate=10.0)

    frames = list(video)

    assert (video.name, video.size, video.length, video.frame_rate) == ("walk", (64, 48), 3, 10)
    assert [(frame.index, frame.seconds) for frame in frames] == [(1, 0), (2, 0.1), (3, 0.2)]
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.image, picture(number))


@pytest.mark.parametrize("rate", [0.0, -3.0, float("nan")])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: float) -> None:
    fill(tmp_path / "walk", ["a.png"])

    with pytest.raises(InputError, match=f"frame_rate must be above 0 .* got {rate:g}"):
        read_video(tmp_path / "walk", frame_rate=rate)


def test_sequence_takes_rate_and_frame_numbers_from_its_files(tmp_path: Path) -> None:
    fill(tmp_path / "seq" / "img1", ["000001.png", "000002.png", "000005.png"])
    (tmp_path / "seq" / "seqinfo.ini").write_text(
        "[Sequence]\nname=Town\nimDir=img1\nframeRate=5\nseqLength=5\nimWidth=64\nimHeight=48\n"
    )
    video = read_video(tmp_path / "seq")

    frames = list(video)

    assert (video.name, video.frame_rate) == ("Town", 5)
    assert [frame.index for frame in frames] == [1, 2, 5]
    assert [frame.seconds for frame in frames] == [0, 0.2, 0.8]


def test_picture_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    fill(tmp_path / "mixed", ["1.png", "2.png"])
    write_picture(tmp_path / "mixed" / "3.png", picture(3, size=(32, 48)))

    with pytest.raises(InputError, match=r"3\.png: is 32x48, .* 64x48"):
        list(read_video(tmp_path / "mixed"))


def test_folder_without_pictures_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing here")

    with pytest.raises(InputError, match="empty: holds no pictures"):
        read_video(tmp_path / "empty")
