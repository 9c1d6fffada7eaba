import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from tests.numbered_video import picture

from jde.structures.errors import InputError
from jde.video.reading import read_video
from jde.video.writer import VideoWriter


@pytest.mark.parametrize("size", [(64, 48), (65, 48), (64, 49), (65, 49)])
def test_pictures_of_any_size_come_back_nearly_the_same(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with VideoWriter(tmp_path / "out.mp4") as video:
        for number in range(5):
            video.write(picture(number, size))

    frames = list(read_video(tmp_path / "out.mp4"))

    assert len(frames) == 5
    for number, frame in enumerate(frames):
        shown = frame.image[: size[1], : size[0]].astype(int)
        assert np.abs(shown - picture(number, size)).mean() < 4
        assert frame.image.shape[:2] == (size[1] + size[1] % 2, size[0] + size[0] % 2)


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 0.51, 3.0]
    with VideoWriter(tmp_path / "out.mp4") as video:
        for number, seconds in enumerate(times):
            video.write(picture(number), seconds)

    assert [frame.seconds for frame in read_video(tmp_path / "out.mp4")] == pytest.approx(times)


def test_times_give_the_frame_rate(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4") as video:
        for number in range(10):
            video.write(picture(number), number / 8)

    assert read_video(tmp_path / "out.mp4").frame_rate == pytest.approx(8, abs=1e-3)


@pytest.mark.parametrize("rate", [10.0, 12.5, 30000 / 1001])
def test_frames_without_times_follow_at_the_given_rate(tmp_path: Path, rate: float) -> None:
    with VideoWriter(tmp_path / "out.mp4", rate) as video:
        for number in range(10):
            video.write(picture(number))

    written = read_video(tmp_path / "out.mp4")
    assert written.frame_rate == pytest.approx(rate, rel=1e-4)


def test_repeated_and_backward_times_still_give_every_frame(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4") as video:
        for number, seconds in enumerate([0.0, 0.1, 0.1, 0.05, 0.2]):
            video.write(picture(number), seconds)

    assert len(list(read_video(tmp_path / "out.mp4"))) == 5


def test_an_interruption_leaves_a_file_that_plays(tmp_path: Path) -> None:
    def interrupted() -> None:
        with VideoWriter(tmp_path / "out.mp4") as video:
            for number in range(4):
                video.write(picture(number))
            assert not (tmp_path / "out.mp4").exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert len(list(read_video(tmp_path / "out.mp4"))) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_it_is_h264_in_colours_that_every_player_shows(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4") as video:
        video.write(picture(0))

    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_no_frames_leave_no_file(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "out.mp4").close()

    assert list(tmp_path.iterdir()) == []


def test_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4") as video:
        video.write(picture(0))
        with pytest.raises(InputError, match=r"out\.mp4: was begun with 64x48"):
            video.write(picture(0, size=(32, 32)))


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"out\.docx: no video format is called '\.docx'"):
        VideoWriter(tmp_path / "out.docx")


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(InputError, match=r"out\.mp4: can't be written"):
        VideoWriter(tmp_path / "file" / "out.mp4")


FILL_THE_DISK = """
import resource, sys
import numpy as np
from jde.structures.errors import InputError
from jde.video.writer import VideoWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
rng = np.random.default_rng(0)
try:
    with VideoWriter(sys.argv[1]) as video:
        for _ in range(60):
            video.write(rng.integers(0, 255, (96, 96, 3), np.uint8))
except InputError as error:
    print(error)
"""


def test_full_disk_is_said_in_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"

    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith(f"{path}: can't be written (File too large)")
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
