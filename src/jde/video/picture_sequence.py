from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from jde.formats.seqinfo import PICTURE_FOLDER, is_sequence, read_seqinfo
from jde.imaging.picture_file import list_pictures, read_picture
from jde.structures.errors import InputError
from jde.structures.frame import Frame, Image
from jde.video.decoding import DEFAULT_FRAME_RATE
from jde.video.source import VideoSource


class PictureSequence(VideoSource):
    """Pictures of one size, shown one after the other at a steady rate."""

    def __init__(
        self,
        name: str,
        pictures: Sequence[Path],
        *,
        frame_rate: float = DEFAULT_FRAME_RATE,
        indices: Sequence[int] | None = None,
    ) -> None:
        first = read_picture(pictures[0])
        super().__init__(
            name=name,
            origin=str(pictures[0].parent),
            frame_rate=frame_rate,
            size=_size(first),
            length=len(pictures),
        )
        self._pictures = tuple(pictures)
        self._indices = tuple(indices or range(1, len(pictures) + 1))

    def __iter__(self) -> Iterator[Frame]:
        """Yield every picture; raise InputError at one of another size."""
        for index, path in zip(self._indices, self._pictures, strict=True):
            image = read_picture(path)
            if _size(image) != self.size:
                raise InputError(
                    f"{path}: is {_size(image)[0]}x{_size(image)[1]}, the pictures before it are "
                    f"{self.size[0]}x{self.size[1]}; keep one size per folder"
                )
            yield Frame(image, index, (index - 1) / self.frame_rate)


def open_folder(folder: Path, frame_rate: float | None = None) -> PictureSequence:
    """Return the pictures of a folder, or of a sequence in the layout of MOTChallenge.

    Raises:
        InputError: There are no pictures in it.
    """
    if is_sequence(folder):
        return _open_sequence(folder, frame_rate)
    inner = folder / PICTURE_FOLDER
    pictures = _pictures_of(inner if inner.is_dir() else folder)
    return PictureSequence(_name(folder), pictures, frame_rate=frame_rate or DEFAULT_FRAME_RATE)


def _open_sequence(folder: Path, frame_rate: float | None) -> PictureSequence:
    info = read_seqinfo(folder)
    pictures = _pictures_of(info.image_folder)
    return PictureSequence(
        info.name or _name(folder),
        pictures,
        frame_rate=frame_rate or info.frame_rate,
        indices=_numbers(pictures),
    )


def _pictures_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: does not exist, but seqinfo.ini names it; mend imDir there")
    pictures = list_pictures(folder)
    if not pictures:
        raise InputError(f"{folder}: holds no pictures; give a folder with .jpg or .png files")
    return pictures


def _numbers(pictures: Sequence[Path]) -> list[int] | None:
    """Return the frame numbers that the file names give, if all of them do."""
    if not all(path.stem.isdecimal() for path in pictures):
        return None
    numbers = [int(path.stem) for path in pictures]
    rising = all(a < b for a, b in pairwise(numbers))
    return numbers if rising and numbers[0] > 0 else None


def _name(folder: Path) -> str:
    return folder.resolve().name


def _size(image: Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]
