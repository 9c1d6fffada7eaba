"""Drawing on a video's own luma and chroma, and encoding them."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter
from tests.numbered_video import picture, write_video

from jde.structures.frame import Frame, Image
from jde.structures.tracks import Tracks
from jde.video.decoding import DecodedPicture
from jde.video.drawing import draw_tracks, identity_colour, paint_tracks
from jde.video.planes import Planes
from jde.video.reading import read_video
from jde.video.traces import Traces
from jde.video.writer import VideoWriter

SIZE = (320, 240)
BOX = (100, 60, 181, 201)
LIMITED, FULL = 1, 2


def somebody(identity: int = 7, box: Sequence[float] = BOX) -> Tracks:
    return Tracks(
        np.array([identity]),
        np.array([box], np.float32),
        np.full(1, 0.9, np.float32),
        np.zeros(1, int),
    )


def textured(size: tuple[int, int] = SIZE) -> Image:
    """Return smooth colours with a bright corner."""
    across, down = np.meshgrid(np.linspace(40, 200, size[0]), np.linspace(40, 200, size[1]))
    image = np.stack([across, down, 240 - across], axis=2).astype(np.uint8)
    image[:20, :20] = (250, 250, 40)
    return image


def encoded(
    path: Path,
    images: Sequence[Image],
    *,
    pixels: str = "yuv420p",
    matrix: int = 5,
    span: int = LIMITED,
) -> Path:
    """Write pictures without loss in colours of one's choice."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixels
        context = stream.codec_context
        context.colorspace, context.color_range = matrix, span
        for image in images:
            frame = VideoReformatter().reformat(
                av.VideoFrame.from_ndarray(image, format="rgb24"),
                format=pixels,
                dst_colorspace=matrix,
                dst_color_range=span,
            )
            frame.colorspace, frame.color_range = matrix, span
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def decoded_of(path: Path) -> tuple[Frame, DecodedPicture]:
    frame = next(iter(read_video(path)))
    assert isinstance(frame.picture, DecodedPicture)
    return frame, frame.picture


def planes_of(path: Path) -> Planes:
    planes = decoded_of(path)[1].planes()
    assert planes is not None
    return planes


@pytest.mark.parametrize("span", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 9])
def test_drawn_and_written_colours_are_those_of_rgb(tmp_path: Path, matrix: int, span: int) -> None:
    source = encoded(tmp_path / "made.mkv", [textured()], matrix=matrix, span=span)
    before = decoded_of(source)[0].image
    frame, held = decoded_of(source)

    paint_tracks(frame.picture, somebody())
    with VideoWriter(tmp_path / "out.mp4") as video:
        video.write(frame.picture)

    assert held.planes() is not None
    planes = planes_of(tmp_path / "out.mp4")
    assert (planes.colours.matrix, planes.colours.range == FULL) == (matrix, span == FULL)
    written = decoded_of(tmp_path / "out.mp4")[0].image
    expected = draw_tracks(before, somebody())
    assert np.abs(frame.image.astype(int) - expected).mean() < 1
    assert np.abs(written.astype(int) - expected).mean() < 3
    for shown, tolerance in ((frame.image, 6), (written, 30)):
        for x, y in [(100, 130), (181, 130), (140, 60), (140, 201)]:
            assert np.abs(shown[y, x].astype(int) - identity_colour(7)).max() <= tolerance
        assert np.abs(shown[130, 140].astype(int) - before[130, 140]).max() <= tolerance


@pytest.mark.parametrize("left", [100, 101])
@pytest.mark.parametrize("top", [60, 61])
def test_boxes_traces_and_labels_lie_where_they_lie_on_pixels(
    tmp_path: Path, left: int, top: int
) -> None:
    source = encoded(tmp_path / "made.mkv", [np.full((240, 320, 3), 90, np.uint8)])
    plain = decoded_of(source)[0].image
    frame, _ = decoded_of(source)
    tracks, traces = somebody(box=(left, top, left + 60, top + 120)), Traces()
    for step in range(20):
        traces.add(somebody(box=(left - 80 + 4 * step, top, left - 20 + 4 * step, top + 110)))
    expected = draw_tracks(plain, tracks, traces)

    paint_tracks(frame.picture, tracks, traces)

    here, there = (
        np.abs(image.astype(int) - plain).max(axis=2) for image in (frame.image, expected)
    )
    # Chroma is shared by four pixels, so that colour may reach one pixel further.
    assert ((here > 60) & (there == 0)).sum() < 12
    grown = np.max([np.roll(there, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], 0)
    assert not ((here > 8) & (grown == 0)).sum()
    assert not ((there > 60) & (here < 20)).sum()
    luma = [image.astype(float) @ (0.299, 0.587, 0.114) for image in (frame.image, expected)]
    assert np.abs(luma[0] - luma[1]).max() < 40
    assert np.abs(luma[0] - luma[1]).mean() < 0.5


def test_frames_that_follow_are_not_predicted_from_what_was_drawn(tmp_path: Path) -> None:
    path = write_video(tmp_path / "made.mp4", count=12)
    untouched = [frame.image for frame in read_video(path)]
    tracks = somebody(box=(10, 10, 50, 40))

    for frame, expected in zip(read_video(path), untouched, strict=True):
        picture_of_it = frame.picture
        assert isinstance(picture_of_it, DecodedPicture)
        undrawn = picture_of_it.planes()
        assert undrawn is not None
        rgb = undrawn.frame.to_ndarray(format="rgb24")
        paint_tracks(picture_of_it, tracks)
        np.testing.assert_array_equal(rgb, expected)
        assert (frame.image != expected).any()


def test_pixels_that_somebody_has_made_are_the_ones_drawn_on_and_written(tmp_path: Path) -> None:
    frame, held = decoded_of(encoded(tmp_path / "made.mkv", [textured()]))
    pixels = frame.image
    pixels[200:, 280:] = 0

    paint_tracks(frame.picture, somebody())
    with VideoWriter(tmp_path / "out.mp4") as video:
        video.write(frame.picture)

    assert held.planes() is None
    assert frame.image is pixels
    assert tuple(pixels[130, 100]) == identity_colour(7)
    written = decoded_of(tmp_path / "out.mp4")[0].image
    assert written[210:, 290:].max() < 30


@pytest.mark.parametrize(
    ("pixels", "size"),
    [("yuv420p10le", SIZE), ("yuv444p", SIZE), ("yuv422p", SIZE), ("yuv420p", (321, 239))],
)
def test_other_formats_are_drawn_on_as_pixels(
    tmp_path: Path, pixels: str, size: tuple[int, int]
) -> None:
    source = encoded(tmp_path / "made.mkv", [textured(size)], pixels=pixels)
    expected = draw_tracks(decoded_of(source)[0].image, somebody())
    frame, held = decoded_of(source)

    paint_tracks(frame.picture, somebody())
    with VideoWriter(tmp_path / "out.mp4") as video:
        video.write(frame.picture)

    assert held.planes() is None
    np.testing.assert_array_equal(frame.image, expected)
    written = decoded_of(tmp_path / "out.mp4")[0].image
    assert written.shape == (240, size[0] + size[0] % 2, 3)
    assert np.abs(written[: size[1], : size[0]].astype(int) - expected).mean() < 3


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_a_rotated_video_is_drawn_on_and_written_upright(tmp_path: Path, rotation: int) -> None:
    path = write_video(tmp_path / "made.mp4", count=1, rotation=rotation)
    before = decoded_of(path)[0].image
    frame, held = decoded_of(path)
    tracks = somebody(box=(16, 20, 30, 40))

    paint_tracks(frame.picture, tracks)
    with VideoWriter(tmp_path / "out.mp4") as video:
        video.write(frame.picture)

    assert held.planes() is not None
    assert held.size == (before.shape[1], before.shape[0])
    written = decoded_of(tmp_path / "out.mp4")[0].image
    for shown in (frame.image, written):
        assert shown.shape == before.shape
        assert np.abs(shown.astype(int) - draw_tracks(before, tracks)).mean() < 6


def test_uneven_times_and_every_frame_reach_the_written_video(tmp_path: Path) -> None:
    times = [0, 40, 55, 700, 701, 2500]
    source = read_video(write_video(tmp_path / "made.mp4", milliseconds=times))

    with VideoWriter(tmp_path / "out.mp4", source.frame_rate) as video:
        for frame in source:
            paint_tracks(frame.picture, somebody(box=(5, 20, 20, 40)))
            video.write(frame.picture, frame.seconds)

    written = [frame.seconds for frame in read_video(tmp_path / "out.mp4")]
    assert written == pytest.approx([t / 1000 for t in times], abs=1e-4)


def test_pixels_written_after_planes_take_the_colours_of_the_file(tmp_path: Path) -> None:
    source = encoded(tmp_path / "made.mkv", [textured()], matrix=1, span=FULL)
    frame, _ = decoded_of(source)

    with VideoWriter(tmp_path / "out.mp4") as video:
        video.write(frame.picture)
        video.write(textured())

    first, second = (each.image.astype(int) for each in read_video(tmp_path / "out.mp4"))
    assert np.abs(first - textured()).mean() < 3
    assert np.abs(second - textured()).mean() < 3


def test_taking_more_time_gives_a_smaller_file_of_like_quality(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    backdrop = rng.integers(0, 255, (30, 60, 1), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    frames = [backdrop[:, 3 * k : 3 * k + 320].repeat(3, axis=2) for k in range(20)]
    for name, small in (("fast", False), ("small", True)):
        with VideoWriter(tmp_path / f"{name}.mp4", small=small) as video:
            for image in frames:
                video.write(image)

    assert (tmp_path / "small.mp4").stat().st_size < (tmp_path / "fast.mp4").stat().st_size
    for name in ("fast", "small"):
        last = list(read_video(tmp_path / f"{name}.mp4"))[-1].image
        assert np.abs(last.astype(int) - frames[-1]).mean() < 6


def test_picture_of_a_video_is_the_same_with_and_without_planes(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "made.mp4") as video:
        video.write(picture(3, SIZE))
    before = decoded_of(tmp_path / "made.mp4")[0].image
    frame, held = decoded_of(tmp_path / "made.mp4")

    assert held.planes() is not None
    np.testing.assert_array_equal(frame.image, before)
