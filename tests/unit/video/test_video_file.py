from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.numbered_video import write_video

from jde.structures.errors import InputError
from jde.video.reading import read_video
from jde.video.writer import VideoWriter


def test_frames_come_in_order_with_number_time_and_rgb_pixels(tmp_path: Path) -> None:
    video = read_video(write_video(tmp_path / "made.mp4", count=12))

    frames = list(video)

    assert (video.name, video.size, video.length) == ("made", (64, 48), 12)
    assert video.frame_rate == pytest.approx(25)
    assert [frame.index for frame in frames] == list(range(1, 13))
    assert [frame.seconds for frame in frames] == pytest.approx([0.04 * k for k in range(12)])
    greys = [int(frame.image[24, 32, 0]) for frame in frames]
    assert greys == sorted(greys)
    red, _, blue = frames[0].image[4, 4]
    assert red > 200
    assert blue < 60


def test_a_second_pass_gives_the_same_frames(tmp_path: Path) -> None:
    video = read_video(write_video(tmp_path / "made.mp4", count=3))

    first, second = list(video), list(video)

    assert len(first) == 3
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.image, b.image)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotated_video_is_turned_upright_as_opencv_turns_it(tmp_path: Path, rotation: int) -> None:
    path = write_video(tmp_path / "made.mp4", count=2, rotation=rotation)
    video = read_video(path)

    frame = next(iter(video))

    done, expected = cv2.VideoCapture(str(path)).read()
    assert done
    assert video.size == (frame.image.shape[1], frame.image.shape[0])
    assert video.size == ((64, 48) if rotation == 180 else (48, 64))
    np.testing.assert_array_equal(frame.image, cv2.cvtColor(expected, cv2.COLOR_BGR2RGB))


def test_reduced_picture_is_the_average_of_areas_of_all_pixels(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(60, 200, (240, 320, 1), np.uint8)
    with VideoWriter(tmp_path / "made.mp4") as video:
        video.write(np.repeat(noise, 3, axis=2))
    frame = next(iter(read_video(tmp_path / "made.mp4")))
    size = (95, 71)

    assert not isinstance(frame.picture, np.ndarray)
    reduced = frame.picture.scaled_down(size).astype(int)

    averages = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
    samples = cv2.resize(frame.image, size, interpolation=cv2.INTER_LINEAR)
    # Whole pictures are made with rounding down, so averages of theirs are a level lower.
    assert np.abs(reduced - averages).max() <= 3
    assert np.abs(reduced - samples).max() > 20


def test_reduced_picture_of_a_rotated_video_is_upright(tmp_path: Path) -> None:
    path = write_video(tmp_path / "made.mp4", count=1, rotation=90)
    frame = next(iter(read_video(path)))

    assert not isinstance(frame.picture, np.ndarray)
    assert frame.picture.size == (48, 64)
    reduced = frame.picture.scaled_down((24, 32))

    expected = cv2.resize(frame.image, (24, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - expected).mean() < 2


def test_uneven_frame_times_are_exact(tmp_path: Path) -> None:
    times = [0, 40, 55, 700, 701, 2500]

    frames = list(read_video(write_video(tmp_path / "made.mp4", milliseconds=times)))

    assert [frame.seconds for frame in frames] == [t / 1000 for t in times]


def test_time_starts_at_the_first_frame(tmp_path: Path) -> None:
    frames = list(read_video(write_video(tmp_path / "late.mkv", milliseconds=[3000, 3100])))

    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.1])


def test_cut_off_video_gives_what_decodes_and_says_what_was_lost(
    tmp_path: Path,
) -> None:
    whole = write_video(tmp_path / "whole.mp4", count=60, index_first=True).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) * 3 // 4])
    video = read_video(path)

    frames = list(video)

    assert 5 < len(frames) < 60
    assert video.losses == [
        f"{path}: is cut off or damaged: only {len(frames)} of 60 frames could be read"
    ]


def test_whole_video_has_no_losses(tmp_path: Path) -> None:
    video = read_video(write_video(tmp_path / "made.mp4"))

    list(video)

    assert video.losses == []


@pytest.mark.parametrize("content", [b"", b"this is no video\n" * 50])
def test_file_that_is_no_video_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"notes\.mp4: is no video"):
        read_video(path)


def test_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.mp4: does not exist"):
        read_video(tmp_path / "absent.mp4")
