"""Downloads from a server that stalls, cuts, lies and refuses."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jde.structures.errors import InputError
from jde.weights.download import BLOCK, Patience, download

CONTENT = bytes(range(256)) * 640
QUICK = Patience(connect=2.0, read=0.3, pause=0.01, attempts=3)
Answer = Callable[["Handler", int], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request by the next of the server's answers; the last one is repeated."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.requests.append(self.headers.get("Range"))
        answers = server.answers
        answer = answers[min(len(server.requests), len(answers)) - 1]
        header = self.headers.get("Range", "bytes=0-")
        answer(self, int(header.removeprefix("bytes=").rstrip("-")))
        self.close_connection = True

    def send(self, start: int, *, length: int | None = None, tag: str | None = '"v1"') -> None:
        """Send the head of an honest answer, announcing `length` bytes if given."""
        self.send_response(206 if start else 200)
        announced = len(CONTENT) - start if length is None else length
        self.send_header("Content-Length", str(announced))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.requests: list[str | None] = []

    def handle_error(self, *_: object) -> None:
        """Stay silent where a client hangs up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/weights.pdparams"


Serve = Callable[..., Server]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    servers: list[Server] = []

    def start(*answers: Answer) -> Server:
        server = Server(list(answers))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def honest(handler: Handler, start: int) -> None:
    handler.send(start)
    handler.wfile.write(CONTENT[start:])


def cut(handler: Handler, start: int) -> None:
    handler.send(start)
    handler.wfile.write(CONTENT[start : start + BLOCK])


def stall(handler: Handler, start: int) -> None:
    handler.send(start)
    handler.wfile.write(CONTENT[start : start + BLOCK])
    handler.wfile.flush()
    time.sleep(1)


def announce_less(handler: Handler, start: int) -> None:
    handler.send(start, length=100)
    handler.wfile.write(CONTENT[start:])


def announce_more(handler: Handler, start: int) -> None:
    handler.send(start, length=len(CONTENT) + 500)
    handler.wfile.write(CONTENT[start:])


def ignore_ranges(handler: Handler, _start: int) -> None:
    honest(handler, 0)


def send_another_part(handler: Handler, start: int) -> None:
    handler.send(start + 1)
    handler.wfile.write(CONTENT[start + 1 :])


def change_the_file(handler: Handler, start: int) -> None:
    handler.send_response(206)
    handler.send_header("Content-Length", "5")
    handler.send_header("Content-Range", f"bytes {start}-{start + 4}/{start + 5}")
    handler.end_headers()
    handler.wfile.write(b"other")


def refuse(status: int) -> Answer:
    return lambda handler, _start: handler.send_error(status)


def endless(handler: Handler, _start: int) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(50):
        handler.wfile.write(CONTENT)


def test_an_honest_server_gives_the_file_and_progress(tmp_path: Path, serve: Serve) -> None:
    seen: list[tuple[int, int | None]] = []
    server = serve(honest)
    target = tmp_path / "new" / "weights"
    download(server.url, target, report=lambda *step: seen.append(step), patience=QUICK)
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in target.parent.iterdir()] == ["weights"]


@pytest.mark.parametrize("fault", [cut, stall, announce_more])
def test_a_broken_transfer_goes_on_where_it_stopped(
    tmp_path: Path, serve: Serve, fault: Answer
) -> None:
    server = serve(fault, honest)
    download(server.url, tmp_path / "weights", patience=QUICK)
    assert (tmp_path / "weights").read_bytes() == CONTENT
    assert server.requests[0] is None
    if fault is not announce_more:
        assert server.requests[1] == f"bytes={BLOCK}-"


def test_many_breaks_are_no_failure_while_bytes_come(tmp_path: Path, serve: Serve) -> None:
    server = serve(cut)
    download(server.url, tmp_path / "weights", patience=QUICK)
    assert (tmp_path / "weights").read_bytes() == CONTENT
    assert len(server.requests) == 10


def test_a_second_call_goes_on_where_the_first_gave_up(tmp_path: Path, serve: Serve) -> None:
    target = tmp_path / "weights"
    bad = serve(cut, refuse(503))
    with pytest.raises(InputError, match=rf"503.*byte {BLOCK}"):
        download(bad.url, target, patience=QUICK)
    note = target.with_name("weights.json")
    good = serve(honest)
    note.write_text(note.read_text().replace(bad.url, good.url))
    download(good.url, target, patience=QUICK)
    assert good.requests == [f"bytes={BLOCK}-"]
    assert target.read_bytes() == CONTENT


def test_the_first_part_of_another_file_is_thrown_away(tmp_path: Path, serve: Serve) -> None:
    target = tmp_path / "weights"
    target.write_bytes(b"something else")
    target.with_name("weights.json").write_text(json.dumps({"url": "http://elsewhere/"}))
    server = serve(honest)
    download(server.url, target, patience=QUICK)
    assert server.requests == [None]
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("fault", [ignore_ranges, send_another_part, change_the_file, refuse(416)])
def test_servers_that_resume_wrongly_are_asked_anew(
    tmp_path: Path, serve: Serve, fault: Answer
) -> None:
    server = serve(cut, fault, honest)
    download(server.url, tmp_path / "weights", patience=QUICK)
    assert (tmp_path / "weights").read_bytes() == CONTENT


def test_a_server_in_circles_is_given_up(tmp_path: Path, serve: Serve) -> None:
    server = serve(*[cut, refuse(416)] * 20)
    with pytest.raises(InputError, match="can't be fetched"):
        download(server.url, tmp_path / "weights", patience=QUICK)
    assert len(server.requests) < 10


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final(tmp_path: Path, serve: Serve, status: int) -> None:
    server = serve(refuse(status))
    with pytest.raises(InputError, match=rf"weights\.pdparams: the server answers {status}"):
        download(server.url, tmp_path / "weights", patience=QUICK)
    assert len(server.requests) == 1


def test_a_server_that_is_down_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9/.*can't be fetched"):
        download("http://127.0.0.1:9/weights", tmp_path / "weights", patience=QUICK)


def test_a_length_below_the_published_one_is_refused(tmp_path: Path, serve: Serve) -> None:
    server = serve(announce_less)
    with pytest.raises(InputError, match="100 bytes where 163840 are published"):
        download(server.url, tmp_path / "weights", expected=len(CONTENT), patience=QUICK)


def test_a_server_that_never_ends_is_cut_off(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jde.weights.download.MAX_BYTES", 100_000)
    server = serve(endless)
    with pytest.raises(InputError, match="more than it announced"):
        download(server.url, tmp_path / "weights", patience=QUICK)
    assert not (tmp_path / "weights").exists()


def test_a_proxy_of_the_environment_is_used(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(honest)
    monkeypatch.setenv("http_proxy", proxy.url.rpartition("/")[0])
    monkeypatch.setenv("no_proxy", "")
    download("http://weights.invalid/a", tmp_path / "weights", patience=QUICK)
    assert (tmp_path / "weights").read_bytes() == CONTENT
