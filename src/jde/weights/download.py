"""Fetching a large file over a network that breaks, stalls and lies."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from jde.structures.errors import InputError

BLOCK = 1 << 14
"""Bytes that are written at once, and lost at most when a transfer breaks."""

MAX_BYTES = 4 << 30
"""No weights are larger; a server that sends more is cut off."""

PARTIAL, COMPLETE, RANGE_REFUSED = 206, 200, 416
FIRST_SERVER_ERROR = 500
RETRIED = {408, 425, 429}
"""Refusals that pass with time; so do all errors of the server itself."""

Report = Callable[[int, int | None], None]
"""Told how many bytes are here, and how many there will be if that is known."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to wait for a server; all in seconds."""

    connect: float = 10.0
    """For an answer to the first knock."""

    read: float = 30.0
    """For the next bytes."""

    pause: float = 1.0
    """Before the first new attempt; doubled for each further one."""

    attempts: int = 5
    """Attempts in a row that may bring nothing."""


class BrokenTransferError(Exception):
    """The transfer ended early, and may go on from where it stopped."""


@dataclass(slots=True)
class Transfer:
    """One file on its way.

    Attributes:
        url: Where it comes from.
        target: Where its first part grows; a file beside it holds what the server said about it.
        expected: Its length in bytes where that is known beforehand.
    """

    url: str
    target: Path
    expected: int | None = None

    @property
    def note(self) -> Path:
        """The file that tells which version of the remote file the first part belongs to."""
        return self.target.with_name(f"{self.target.name}.json")

    @property
    def received(self) -> int:
        """Number of bytes that are here."""
        return self.target.stat().st_size if self.target.exists() else 0

    def restart(self) -> None:
        """Forget the first part."""
        self.target.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def known(self) -> dict[str, Any]:
        """Return what the server said when the first part came; nothing where that is lost."""
        try:
            known = json.loads(self.note.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) and known.get("url") == self.url else {}


def download(
    url: str,
    target: Path,
    *,
    expected: int | None = None,
    report: Report | None = None,
    patience: Patience | None = None,
) -> None:
    """Fetch `url` into `target`, going on where an earlier call was interrupted.

    Args:
        url: What to fetch; proxies are taken from the environment.
        target: File that grows until it is complete; not yet checked for its content then.
        expected: Length in bytes where that is known.
        report: Told about the progress.
        patience: How long to wait and how often to try.

    Raises:
        InputError: The server refuses, can't be reached, or sends another length than it should.
    """
    patience = patience or Patience()
    transfer = Transfer(url, target, expected)
    target.parent.mkdir(parents=True, exist_ok=True)
    failures, most, reason = 0, transfer.received, ""
    while failures < patience.attempts:
        try:
            receive(transfer, patience, report)
        except (RequestException, HTTPError, BrokenTransferError) as error:
            # Only bytes beyond the best attempt count, or a server could keep us for ever.
            failures = 0 if transfer.received > most else failures + 1
            most = max(most, transfer.received)
            logger.info("%s: %s", url, describe(error))
            reason = describe(error)
            time.sleep(patience.pause * 2 ** max(0, failures - 1))
        else:
            transfer.note.unlink(missing_ok=True)
            return
    raise InputError(
        f"{url}: can't be fetched ({reason}); try again later, it will go on from byte "
        f"{transfer.received}, or get the file in another way"
    )


def receive(transfer: Transfer, patience: Patience, report: Report | None) -> None:
    """Ask for what is missing and add what comes.

    Raises:
        InputError: The server refuses, or the length is wrong.
        BrokenTransferError: The transfer ended early.
    """
    known = transfer.known()
    if transfer.received and not known:
        transfer.restart()
    headers = {"Accept-Encoding": "identity"}
    if transfer.received:
        headers["Range"] = f"bytes={transfer.received}-"
        if known.get("version"):
            headers["If-Range"] = known["version"]
    waits = (patience.connect, patience.read)
    with requests.get(transfer.url, headers=headers, stream=True, timeout=waits) as answer:
        check_status(answer, transfer)
        total = find_total(answer, transfer)
        remember(answer, transfer, total)
        with transfer.target.open("ab") as file:
            for block in answer.iter_content(BLOCK):
                file.write(block)
                if file.tell() > (total or MAX_BYTES):
                    break
                if report is not None:
                    report(file.tell(), total)
    check_length(transfer, total)


def check_status(answer: requests.Response, transfer: Transfer) -> None:
    """Act on the server's answer: go on, start anew, or give up.

    Raises:
        InputError: It refuses for good.
        BrokenTransferError: It may answer otherwise next time.
    """
    status = answer.status_code
    if status == PARTIAL and answer.headers.get("Content-Range", "").startswith(
        f"bytes {transfer.received}-"
    ):
        return
    if status == COMPLETE:
        transfer.restart()
        return
    if status in {PARTIAL, RANGE_REFUSED}:
        transfer.restart()
        raise BrokenTransferError("the server sent another part than the missing one")
    if status in RETRIED or status >= FIRST_SERVER_ERROR:
        raise BrokenTransferError(f"the server answers {status} {answer.reason}")
    raise InputError(
        f"{transfer.url}: the server answers {status} {answer.reason}; the file may have moved: "
        "get it in another way, or name a mirror in JDE_ZOO_MIRROR"
    )


def find_total(answer: requests.Response, transfer: Transfer) -> int | None:
    """Return the length of the whole file, if anybody knows it.

    Raises:
        InputError: The server's file has another length than the published one, or is too large.
    """
    announced = answer.headers.get("Content-Range", "").rpartition("/")[2]
    if answer.status_code == COMPLETE:
        announced = answer.headers.get("Content-Length", "")
    total = int(announced) if announced.isdigit() else None
    if transfer.expected is not None and total not in {None, transfer.expected}:
        raise InputError(
            f"{transfer.url}: the server has {total} bytes where {transfer.expected} are published"
        )
    if total is not None and total > MAX_BYTES:
        raise InputError(f"{transfer.url}: {total} bytes are too many for weights")
    return transfer.expected or total


def remember(answer: requests.Response, transfer: Transfer, total: int | None) -> None:
    """Note the version of the remote file, so that two versions aren't put together.

    Raises:
        BrokenTransferError: The length changed since the first part came.
    """
    known = transfer.known()
    if answer.status_code == PARTIAL and known.get("total") != total:
        transfer.restart()
        raise BrokenTransferError("the file on the server changed")
    tag = answer.headers.get("ETag", "")
    version = tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified")
    note = {"url": transfer.url, "version": version, "total": total}
    transfer.note.write_text(json.dumps(note))


def check_length(transfer: Transfer, total: int | None) -> None:
    """Refuse a file that is shorter or longer than it should be.

    Raises:
        InputError: It is longer.
        BrokenTransferError: It is shorter.
    """
    received = transfer.received
    if received > (total or MAX_BYTES):
        transfer.restart()
        raise InputError(f"{transfer.url}: the server sends more than it announced; try a mirror")
    if total is not None and received < total:
        raise BrokenTransferError(f"only {received} of {total} bytes came")


def describe(error: Exception) -> str:
    """Return one short line about a failed attempt."""
    text = " ".join(str(error).split())
    return text[:160] or type(error).__name__
