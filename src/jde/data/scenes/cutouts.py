"""People cut out of pictures: one folder for each identity, one RGBA picture for each view."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from jde.data.scenes.sprite import SOLID
from jde.imaging.picture_file import list_pictures
from jde.structures.errors import InputError
from jde.structures.frame import Image

CHANNELS = 4
KEPT_IN_MEMORY = 512
"""Decoded views that a process keeps."""
TALLEST = 384
"""Rows of a cut-out at most: taller ones are stored and kept smaller."""

Opacity = UInt8[np.ndarray, "height width"]


@dataclass(frozen=True, slots=True)
class Cutouts:
    """The views of each identity.

    Attributes:
        views: Picture files, by identity.
    """

    views: tuple[tuple[Path, ...], ...]

    @classmethod
    def read(cls, *folders: Path, least_views: int = 1) -> "Cutouts":
        """Return the people below `folders`, each in a folder of its own: `IDENTITY/view.png`.

        Args:
            folders: Where to look.
            least_views: Leave out people with fewer views.

        Raises:
            InputError: There is nobody.
        """
        people: list[tuple[Path, ...]] = []
        for folder in folders:
            if not folder.is_dir():
                raise InputError(f"{folder}: no folder of cut-outs is here")
            inner = sorted(path for path in folder.iterdir() if path.is_dir())
            found = (tuple(list_pictures(path)) for path in inner)
            people += [views for views in found if len(views) >= least_views]
        if not people:
            named = ", ".join(map(str, folders))
            raise InputError(f"{named}: holds no cut-out; put RGBA pictures at IDENTITY/VIEW.png")
        return cls(tuple(people))

    def __len__(self) -> int:
        return len(self.views)

    @property
    def names(self) -> tuple[str, ...]:
        """What each identity's folder is called."""
        return tuple(views[0].parent.name for views in self.views)


@lru_cache(maxsize=KEPT_IN_MEMORY)
def read_cutout(path: Path) -> tuple[Image, Opacity]:
    """Return colours and opacity of a cut-out, cropped to the person.

    Raises:
        InputError: The file is no picture with an opacity channel, or is transparent all over.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror})") from error
    pixels = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if len(content) else None
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != CHANNELS:  # noqa: PLR2004 (axes)
        raise InputError(f"{path}: is no RGBA picture; cut the person out and save it as .png")
    solid = (pixels[..., 3] >= SOLID).view(np.uint8)
    left, top, width, height = cv2.boundingRect(solid)
    if not width:
        raise InputError(f"{path}: shows nobody: every pixel is transparent")
    pixels = pixels[top : top + height, left : left + width]
    colours = cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_BGR2RGB)
    return colours, np.ascontiguousarray(pixels[..., 3])


def write_cutout(path: Path, colours: Image, opacity: Opacity) -> None:
    """Write a cut-out as an RGBA picture, smaller if it is very tall."""
    pixels = np.dstack([cv2.cvtColor(colours, cv2.COLOR_RGB2BGR), opacity])
    height, width = opacity.shape
    if height > TALLEST:
        size = max(1, round(width * TALLEST / height)), TALLEST
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, content = cv2.imencode(".png", pixels)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())
