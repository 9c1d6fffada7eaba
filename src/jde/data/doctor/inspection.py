"""Opens every picture of a data set once and notes what it finds."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, Int64

from jde.data.doctor.inventory import ListedPicture
from jde.data.prepare.prepared import Person
from jde.structures.letterbox import Size

MAX_THREADS = 8
DIGEST_BYTES = 16
ENDINGS = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND"}
"""How JPEG and PNG files begin and what must stand near their end."""
TAIL_BYTES = 4096
"""Cameras append data of their own; the end mark may lie this far from the last byte."""


@dataclass(frozen=True, slots=True)
class InspectedPicture:
    """A picture that was opened.

    Attributes:
        path: The picture file.
        group: List, folder or sequence that it belongs to.
        size: Width and height; (0, 0) where it can't be read.
        digest: Hash of the file's content, empty where it can't be read.
        picture_problem: What is wrong with the picture, empty where nothing is.
        label_problem: What is wrong with the labels, empty where nothing is.
        boxes: Corner boxes as shares of the picture.
        identities: Identity of each box, -1 where unknown.
        classes: Number of the class of each box.
    """

    path: Path
    group: str
    size: Size
    digest: bytes
    picture_problem: str
    label_problem: str
    boxes: Float64[np.ndarray, "n 4"]
    identities: Int64[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"]


def inspect(
    pictures: Sequence[ListedPicture], on_picture: Callable[[], None] = lambda: None
) -> list[InspectedPicture]:
    """Return what opening each picture showed; `on_picture` is called after each."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MAX_THREADS)) as pool:
        found = []
        for inspected in pool.map(_inspect, pictures):
            found.append(inspected)
            on_picture()
    return found


def digest_of(path: Path) -> bytes:
    """Return the hash of a file's content, empty where it can't be read."""
    try:
        return _digest(path.read_bytes())
    except OSError:
        return b""


def _inspect(listed: ListedPicture) -> InspectedPicture:
    content, size, problem = _open(listed.path)
    people = np.array(listed.people, np.float64).reshape(-1, len(Person._fields))
    scale = np.array((1, 1) if listed.relative else np.maximum(size, 1), np.float64)
    corners = people[:, 1:5].copy()
    corners[:, 2:] += corners[:, :2]
    return InspectedPicture(
        path=listed.path,
        group=listed.group,
        size=size,
        digest=_digest(content) if content else b"",
        picture_problem=problem,
        label_problem=listed.problem,
        boxes=corners / np.tile(scale, 2),
        identities=people[:, 0].astype(np.int64),
        classes=people[:, 5].astype(np.int64),
    )


def _open(path: Path) -> tuple[bytes, Size, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        return b"", (0, 0), f"{path}: can't be read ({error.strerror})"
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if decoded is None:
        return content, (0, 0), f"{path}: is no picture or is damaged"
    size = decoded.shape[1], decoded.shape[0]
    for start, end in ENDINGS.items():
        # Decoders fill what is missing with grey and don't complain.
        if content.startswith(start) and end not in content[-TAIL_BYTES:]:
            return content, size, f"{path}: ends early, a part of the picture is grey"
    return content, size, ""


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()
