import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from tests.numbered_video import write_video

from jde.structures.errors import InputError
from jde.video.decoding import without_password
from jde.video.live import NetworkStream
from jde.video.reading import read_video


@contextmanager
def broadcast(content: bytes, connections: int) -> Iterator[str]:
    """Serve `content` to each of the first few who connect, then go away."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(connections):
            client, _ = server.accept()
            with client:
                client.sendall(content)
        server.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    thread.join(5)


def test_broken_stream_is_reached_again_and_its_end_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = write_video(tmp_path / "made.ts", count=10).read_bytes()

    with broadcast(content, connections=2) as url, caplog.at_level(logging.WARNING):
        stream = NetworkStream(url, back_off=(0.01, 0.02))
        frames = []
        for frame in stream:
            frames.append(frame)
            time.sleep(0.001)

    assert stream.live
    assert stream.length is None
    # 9 after the first picture was looked at, then 10; those not taken in time are skipped.
    assert frames[-1].index == 19
    assert all(a.seconds < b.seconds for a, b in pairwise(frames))
    assert stream.losses == [
        f"{url}: the stream ended or broke off and did not come back in 2 attempts"
    ]


def test_slow_reader_gets_the_newest_frame_and_skips_the_rest(tmp_path: Path) -> None:
    content = write_video(tmp_path / "made.ts", count=30).read_bytes()

    with broadcast(content, connections=1) as url:
        stream = NetworkStream(url, back_off=())
        indices = []
        for frame in stream:
            indices.append(frame.index)
            time.sleep(0.1)

    assert len(indices) < 15
    assert indices[-1] == 29


def test_leaving_early_closes_the_stream(tmp_path: Path) -> None:
    content = write_video(tmp_path / "made.ts", count=30).read_bytes()
    before = threading.active_count()

    with broadcast(content, connections=1) as url:
        with NetworkStream(url, back_off=()) as stream:
            next(iter(stream))
        del stream

    assert threading.active_count() <= before


def test_unreachable_stream_is_refused_without_its_password() -> None:
    with pytest.raises(InputError, match=r"rtsp://me:\*\*\*@127\.0\.0\.1:9/door: can't be opened"):
        read_video("rtsp://me:secret@127.0.0.1:9/door")


def test_password_is_hidden_and_the_rest_is_kept() -> None:
    assert without_password("rtsp://me:a!b@host/x") == "rtsp://me:***@host/x"
    assert without_password("http://host/x:y@z") == "http://host/x:y@z"


def test_video_behind_an_address_is_read_to_its_end(tmp_path: Path) -> None:
    write_video(tmp_path / "made.mp4", count=7)
    handler = partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        video = read_video(f"http://127.0.0.1:{server.server_address[1]}/made.mp4")
        frames = list(video)
        server.shutdown()

    assert not video.live
    assert len(frames) == video.length == 7


def test_camera_that_is_not_there_is_refused_by_number() -> None:
    with pytest.raises(InputError, match="camera 97: can't be opened"):
        read_video("97")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
