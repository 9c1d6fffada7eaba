import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.numbered_video import write_video

from jde.formats.mot_text import read_mot
from jde.imaging.letterboxing import Fitted, letterbox_image
from jde.pipeline.result_files import ResultFiles
from jde.pipeline.tracking import Sinks, TrackingRun
from jde.structures.detections import Detections
from jde.structures.errors import InputError
from jde.structures.frame import Frame, Image, Picture
from jde.tracking.tracker import Tracker
from jde.video.decoding import DecodedPicture
from jde.video.reading import read_video
from jde.video.source import VideoSource
from jde.video.writer import VideoWriter

WIDTH, HEIGHT = 96, 64


class Walk(VideoSource):
    """Blank pictures whose first pixel says which frame they are."""

    def __init__(self, count: int) -> None:
        super().__init__("walk", "walk", frame_rate=25.0, size=(WIDTH, HEIGHT), length=count)
        self.closed = False
        self._images: list[weakref.ref[np.ndarray]] = []

    @property
    def alive(self) -> int:
        return sum(image() is not None for image in self._images)

    def __iter__(self) -> Iterator[Frame]:
        for index in range(1, (self.length or 0) + 1):
            image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            image[0, 0] = (index // 256, index % 256, 0)
            self._images = [*self._images[-100:], weakref.ref(image)]
            yield Frame(image, index, (index - 1) / self.frame_rate)

    def close(self) -> None:
        self.closed = True


class Walkers:
    """Sees two people who walk towards each other, by the frame number in the picture."""

    def __init__(self, fails_at: int | None = None, streams: int = 1) -> None:
        self.sizes: list[int] = []
        self.streams = streams
        self.most_at_once = 0
        self._fails_at = fails_at
        self._working: set[int] = set()

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        self.sizes.append(len(images))
        self._working.add(threading.get_ident())
        self.most_at_once = max(self.most_at_once, len(self._working))
        if self.streams > 1:
            # Long enough for another call to come in, and every third one takes longer.
            time.sleep(0.004 if len(self.sizes) % 3 else 0.012)
        found = [self._see(image) for image in images]
        self._working.remove(threading.get_ident())
        return found

    def _see(self, image: Image) -> Detections:
        index = int(image[0, 0, 0]) * 256 + int(image[0, 0, 1])
        if index == self._fails_at:
            raise RuntimeError("the network broke")
        step = 0.5 * (index % 120)
        boxes = [[step, 10, step + 20, 60], [70 - step, 12, 90 - step, 62]]
        looks = np.eye(2, 8, dtype=np.float32)
        return Detections(np.array(boxes, np.float32), np.array([0.9, 0.8], np.float32), looks)


def run_of(
    count: int,
    detector: Walkers | None = None,
    *,
    batch: int = 1,
    results: ResultFiles | None = None,
    video: VideoWriter | None = None,
) -> TrackingRun:
    tracker = Tracker(frame_rate=25.0)
    sinks = Sinks(results=results, video=video)
    return TrackingRun(Walk(count), detector or Walkers(), tracker, sinks, batch)


def test_every_frame_comes_out_in_order_with_its_tracks() -> None:
    run = run_of(50)

    steps = list(run)

    assert [step.frame.index for step in steps] == list(range(1, 51))
    assert all(len(step.tracks) == 2 for step in steps)
    assert (run.frames, run.identities) == (50, {1, 2})
    assert set(run.stopwatch.seconds) == {"decode", "prepare", "detect", "track"}
    assert run.frames_per_second == pytest.approx(50 / run.seconds)


@pytest.mark.parametrize("batch", [2, 3, 8, 64])
def test_identities_and_boxes_do_not_depend_on_the_batch(batch: int) -> None:
    detector = Walkers()
    expected = list(run_of(50))

    found = list(run_of(50, detector, batch=batch))

    assert detector.sizes[0] == min(batch, 50)
    assert sum(detector.sizes) == 50
    for one, other in zip(expected, found, strict=True):
        assert one.frame.index == other.frame.index
        np.testing.assert_array_equal(one.tracks.ids, other.tracks.ids)
        np.testing.assert_array_equal(one.tracks.boxes, other.tracks.boxes)


@pytest.mark.parametrize(("streams", "batch"), [(2, 1), (4, 1), (3, 4)])
def test_identities_and_boxes_do_not_depend_on_the_streams(streams: int, batch: int) -> None:
    detector = Walkers(streams=streams)
    expected = list(run_of(50))

    run = run_of(50, detector, batch=batch)
    found = list(run)

    assert detector.most_at_once == streams
    assert [step.frame.index for step in found] == list(range(1, 51))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one.tracks.ids, other.tracks.ids)
        np.testing.assert_array_equal(one.tracks.boxes, other.tracks.boxes)
    assert run.stopwatch.lanes == {"detect": streams}


class Stream(Walk):
    """The same pictures by the clock."""

    live = True


def test_a_live_source_is_detected_one_frame_at_a_time() -> None:
    detector = Walkers(streams=4)

    run = TrackingRun(Stream(20), detector, Tracker(frame_rate=25.0), batch=3)

    assert len(list(run)) == 20
    assert (run.lanes, detector.most_at_once, set(detector.sizes)) == (1, 1, {1})


def test_files_hold_every_frame(tmp_path: Path) -> None:
    with (
        ResultFiles(tmp_path, ("mot", "kitti", "json")) as results,
        VideoWriter(tmp_path / "tracked.mp4") as video,
    ):
        run = run_of(20, results=results, video=video)
        steps = list(run)

    rows = read_mot(tmp_path / "tracks.txt")
    assert rows.frames.tolist() == [frame for frame in range(1, 21) for _ in range(2)]
    np.testing.assert_allclose(rows.ltwh[:2, 2:], [[20, 50], [20, 50]], atol=1e-4)
    assert len((tmp_path / "tracks.jsonl").read_text().splitlines()) == 20
    assert (tmp_path / "tracks.kitti.txt").read_text().startswith("0 1 pedestrian ")
    seconds = [frame.seconds for frame in read_video(tmp_path / "tracked.mp4")]
    assert seconds == pytest.approx([step.frame.seconds for step in steps])
    stages = ["decode", "prepare", "detect", "track", "write", "draw", "encode"]
    assert sorted(run.stopwatch.seconds) == sorted(stages)


class Fitters(Walkers):
    """Wants pictures in the size of a network, as our own detectors do."""

    def fit(self, picture: Image | Picture) -> Fitted:
        return letterbox_image(picture, (32, 32))

    def find(self, pictures: Sequence[Fitted]) -> list[Detections]:
        assert {each.image.shape for each in pictures} == {(32, 32, 3)}
        return [Detections(np.array([[1, 1, 20, 40]], np.float32), np.ones(1, np.float32))]


def test_where_nothing_is_drawn_no_frame_is_made_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = read_video(write_video(tmp_path / "walk.mp4", count=8))

    def refuse(_: DecodedPicture) -> Image:
        raise AssertionError("nobody needs all pixels")

    monkeypatch.setattr(DecodedPicture, "whole", refuse)
    run = TrackingRun(source, Fitters(), Tracker(frame_rate=25.0))

    assert len(list(run)) == 8
    assert run.bottleneck in {"decode + prepare", "detect", "track"}
    assert run.processor > 0


def test_tracks_are_drawn_and_written_without_making_any_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "walk.mp4", count=8)
    untouched = [frame.image for frame in read_video(path)]
    make_pixels = DecodedPicture.whole

    def refuse(_: DecodedPicture) -> Image:
        raise AssertionError("nobody needs all pixels")

    monkeypatch.setattr(DecodedPicture, "whole", refuse)
    with VideoWriter(tmp_path / "tracked.mp4") as video:
        sinks = Sinks(video=video)
        run = TrackingRun(read_video(path), Fitters(), Tracker(frame_rate=25.0), sinks)
        steps = list(run)
    monkeypatch.setattr(DecodedPicture, "whole", make_pixels)

    written = [frame.image for frame in read_video(tmp_path / "tracked.mp4")]
    assert len(written) == len(steps) == 8
    for step, before, after in zip(steps, untouched, written, strict=True):
        assert len(step.tracks) == 1
        drawn = (step.frame.image != before).any(axis=2)
        assert drawn[1:40, 1].all()
        assert np.abs(after.astype(int) - step.frame.image).mean() < 6


@pytest.mark.parametrize("streams", [1, 3])
def test_fault_in_a_thread_is_raised_and_leaves_files_up_to_it(
    streams: int, tmp_path: Path
) -> None:
    before = threading.active_count()
    with (
        pytest.raises(RuntimeError, match="the network broke"),
        ResultFiles(tmp_path) as results,
        VideoWriter(tmp_path / "tracked.mp4") as video,
    ):
        list(run_of(40, Walkers(12, streams), results=results, video=video))

    assert read_mot(tmp_path / "tracks.txt").frames.max() == 11
    assert len(list(read_video(tmp_path / "tracked.mp4"))) == 11
    assert threading.active_count() == before


@pytest.mark.parametrize("streams", [1, 2])
def test_interruption_ends_the_threads_and_closes_source_and_files(
    streams: int, tmp_path: Path
) -> None:
    before = threading.active_count()
    with ResultFiles(tmp_path) as results, VideoWriter(tmp_path / "tracked.mp4") as video:
        run = run_of(10_000, Walkers(streams=streams), results=results, video=video)
        steps = iter(run)
        for _ in range(5):
            next(steps)
        with pytest.raises(KeyboardInterrupt):
            steps.throw(KeyboardInterrupt)

    assert isinstance(run.source, Walk)
    assert run.source.closed
    assert run.frames == 5
    assert len(list(read_video(tmp_path / "tracked.mp4"))) == 5
    assert 5 <= read_mot(tmp_path / "tracks.txt").frames.max() <= 10
    assert threading.active_count() == before


@pytest.mark.parametrize(("batch", "streams", "allowed"), [(4, 1, 16), (1, 3, 13)])
def test_few_frames_are_held_at_any_time(batch: int, streams: int, allowed: int) -> None:
    run = run_of(300, Walkers(streams=streams), batch=batch)
    most, walk = 0, run.source
    assert isinstance(walk, Walk)
    for _ in run:
        most = max(most, walk.alive)

    # Two queues, the pictures at the detector with one more for its streams, and one in each hand.
    assert most <= allowed


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "tracks.txt").symlink_to("/dev/full")

    with pytest.raises(InputError) as caught, ResultFiles(tmp_path) as results:
        list(run_of(3, results=results))

    assert str(caught.value) == (
        f"{tmp_path}: can't be written (No space left on device); "
        "make room or choose another folder"
    )


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(InputError, match=r"file/out: can't be written \(Not a directory\)"):
        ResultFiles(tmp_path / "file" / "out")
