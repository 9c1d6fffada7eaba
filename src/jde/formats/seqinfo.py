"""`seqinfo.ini`: what MOTChallenge says about a sequence."""

from configparser import ConfigParser, Error, SectionProxy
from dataclasses import dataclass
from pathlib import Path

from jde.formats.number_table import read_text
from jde.structures.errors import InputError

FILE_NAME = "seqinfo.ini"
SECTION = "Sequence"
PICTURE_FOLDER = "img1"
"""Folder of the pictures in a sequence, unless its `seqinfo.ini` names another."""


@dataclass(frozen=True, slots=True)
class SequenceInfo:
    """A sequence of pictures.

    Attributes:
        name: Name of the sequence.
        image_folder: Folder that holds the pictures.
        frame_rate: Frames a second.
        length: Number of frames.
        width: Width of the pictures in pixels.
        height: Height of the pictures in pixels.
    """

    name: str
    image_folder: Path
    frame_rate: float
    length: int
    width: int
    height: int


def is_sequence(folder: Path) -> bool:
    """Return whether a folder is a MOTChallenge sequence."""
    return (folder / FILE_NAME).is_file()


def read_seqinfo(path: Path) -> SequenceInfo:
    """Return what `seqinfo.ini` says; `path` is the file or the sequence's folder.

    Raises:
        InputError: The file is missing, or an entry is missing or no positive number.
    """
    file = path / FILE_NAME if path.is_dir() else path
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(file))
        entries = parser[SECTION]
    except KeyError as error:
        raise InputError(f"{file}: the section [{SECTION}] is missing") from error
    except Error as error:
        raise InputError(f"{file}: is no ini file ({' '.join(str(error).split())})") from error
    return SequenceInfo(
        name=entries.get("name", file.parent.name),
        image_folder=file.parent / entries.get("imDir", PICTURE_FOLDER),
        frame_rate=_positive(file, entries, "frameRate"),
        length=int(_positive(file, entries, "seqLength")),
        width=int(_positive(file, entries, "imWidth")),
        height=int(_positive(file, entries, "imHeight")),
    )


def write_seqinfo(folder: Path, info: SequenceInfo, *, suffix: str = ".jpg") -> None:
    """Write `seqinfo.ini` into a sequence's folder; pictures end with `suffix`."""
    (folder / FILE_NAME).write_text(
        f"[{SECTION}]\n"
        f"name={info.name}\n"
        f"imDir={info.image_folder.name}\n"
        f"frameRate={info.frame_rate:g}\n"
        f"seqLength={info.length}\n"
        f"imWidth={info.width}\n"
        f"imHeight={info.height}\n"
        f"imExt={suffix}\n",
        encoding="utf-8",
    )


def _positive(file: Path, entries: SectionProxy, key: str) -> float:
    try:
        value = float(entries[key])
    except KeyError as error:
        raise InputError(f"{file}: the entry {key} is missing") from error
    except ValueError as error:
        raise InputError(f"{file}: {key} is {entries[key]!r}, which is no number") from error
    if not 0 < value < float("inf"):
        raise InputError(f"{file}: {key} must be greater than 0, got {entries[key]}")
    return value
