"""Weights by name: what there is, where it lies, and how it gets here."""

import hashlib
import json
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from jde.structures.errors import InputError
from jde.weights.download import Patience, download
from jde.weights.reading import READERS
from jde.weights.recognition import recognise
from jde.weights.weight_file import WeightFile

MIRROR = "JDE_ZOO_MIRROR"
"""Environment variable: a base URL under which the files lie by their own names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ZooEntry:
    """Named weights.

    Attributes:
        name: What users write.
        summary: One line about them.
        source: Program that trained them.
        url: Where the file lies; empty where a person must fetch it, or where the package has it.
        page: Where a person finds it.
        size: Length in bytes, where published.
        sha256: Checksum, where published.
    """

    name: str
    summary: str
    source: str
    url: str = ""
    page: str = ""
    size: int | None = None
    sha256: str | None = None

    @property
    def file_name(self) -> str:
        """Name of the file in the cache; it keeps the input size that the original says."""
        return Path(urlsplit(self.url).path).name if self.url else f"{self.name}.pt"

    @property
    def cached(self) -> Path:
        """Where the file lies once it was fetched."""
        return cache_folder() / self.file_name

    @property
    def record(self) -> Path:
        """File beside it with the size and checksum of the first fetch."""
        return self.cached.with_name(f"{self.file_name}.sha256.json")

    @property
    def shipped(self) -> Path | None:
        """The file inside the package, or None."""
        path = Path(str(resources.files("jde.weights") / "shipped" / f"{self.name}.safetensors"))
        return path if path.exists() else None


def cache_folder() -> Path:
    """Return the folder of fetched weights: the platform's place for caches."""
    return Path(platformdirs.user_cache_dir("jde")) / "zoo"


def zoo_entries() -> list[ZooEntry]:
    """Return all named weights."""
    text = (resources.files("jde.weights") / "zoo.json").read_text()
    return [ZooEntry(**entry) for entry in json.loads(text)]


def find_entry(name: str) -> ZooEntry | None:
    """Return the weights of a name, or None."""
    return next((entry for entry in zoo_entries() if entry.name == name), None)


def locate(entry: ZooEntry) -> Path | None:
    """Return the file of an entry where it is already on this machine.

    Raises:
        InputError: The cached file isn't what was fetched.
    """
    if entry.shipped is not None:
        return entry.shipped
    if not entry.cached.exists():
        return None
    known = read_record(entry)
    if known is not None and entry.cached.stat().st_size != known["size"]:
        raise InputError(
            f"{entry.cached}: {entry.cached.stat().st_size} bytes where {known['size']} were "
            f"fetched: remove the file and run 'jde zoo fetch {entry.name}'"
        )
    return entry.cached


def fetch(entry: ZooEntry, *, patience: Patience | None = None) -> Path:
    """Return the file of an entry, from the cache or from its server, checked.

    Args:
        entry: What to fetch.
        patience: How long to wait for the server.

    Raises:
        InputError: It can't be fetched, or isn't what it should be.
    """
    found = locate(entry)
    if found is not None:
        if found == entry.cached:
            check_sum(entry, found)
        return found
    if not (entry.url or entry.page):
        raise InputError(f"{entry.name}: this installation of jde comes without these weights")
    if not entry.url:
        raise InputError(
            f"{entry.name}: must be fetched by hand from {entry.page}; then pass the file, or "
            f"save it as {entry.cached}"
        )
    part = entry.cached.with_name(f"{entry.file_name}.part")
    fetch_with_progress(entry, part, patience)
    check_readable(part, entry)
    check_sum(entry, part)
    part.replace(entry.cached)
    return entry.cached


def fetch_with_progress(entry: ZooEntry, part: Path, patience: Patience | None) -> None:
    """Download to `part`, with a bar on the error output."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, TransferSpeedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(entry.name, total=entry.size)

        def report(received: int, total: int | None) -> None:
            progress.update(task, completed=received, total=total)

        download(mirrored(entry.url), part, expected=entry.size, report=report, patience=patience)


def mirrored(url: str) -> str:
    """Return the address of a file on the mirror that the environment names, if it names one."""
    mirror = os.environ.get(MIRROR, "").strip()
    return f"{mirror.rstrip('/')}/{Path(urlsplit(url).path).name}" if mirror else url


def check_readable(part: Path, entry: ZooEntry) -> None:
    """Refuse a download that isn't a whole weight file, and remove it.

    Raises:
        InputError: It is a web page, cut, or damaged.
    """
    try:
        with WeightFile(part) as file:
            kind = recognise(file)
            if kind != "native":
                READERS[kind][0](file)
    except InputError as error:
        part.unlink(missing_ok=True)
        reason = str(error).removeprefix(f"{part}: ")
        raise InputError(f"{mirrored(entry.url)}: {reason}") from error


def check_sum(entry: ZooEntry, path: Path) -> None:
    """Compare a file with the published checksum or that of the first fetch; record it if none is.

    Raises:
        InputError: It differs.
    """
    size, digest = path.stat().st_size, sha256(path)
    known = read_record(entry) or {"size": entry.size, "sha256": entry.sha256}
    expected = entry.sha256 or known["sha256"]
    if expected is not None and digest != expected:
        path.unlink(missing_ok=True)
        raise InputError(
            f"{entry.name}: the file changed: its SHA-256 is {digest} where {expected} is on "
            f"record; it was removed. To accept the new one, remove {entry.record} and fetch again"
        )
    entry.record.write_text(json.dumps({"size": size, "sha256": digest, "url": entry.url}))


def read_record(entry: ZooEntry) -> dict[str, object] | None:
    """Return size and checksum of the first fetch, or None."""
    try:
        known = json.loads(entry.record.read_text())
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and {"size", "sha256"} <= known.keys() else None


def sha256(path: Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
