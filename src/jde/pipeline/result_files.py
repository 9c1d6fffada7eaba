from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from jde.formats.json_lines import JsonLinesWriter
from jde.formats.kitti_text import KittiWriter
from jde.formats.mot_text import MotWriter
from jde.structures.closing import Closing
from jde.structures.errors import InputError
from jde.structures.frame import Frame
from jde.structures.tracks import Tracks

Format = Literal["mot", "kitti", "json"]

NAMES: dict[Format, str] = {
    "mot": "tracks.txt",
    "kitti": "tracks.kitti.txt",
    "json": "tracks.jsonl",
}
"""Name of the file of each format."""


class ResultFiles(Closing):
    """The tracks of a video in files of one or more formats, complete after every frame.

    Args:
        folder: Where the files go; it is made where it is missing.
        formats: Which files to write.
        class_names: What the detector finds; where it is more than people, the files say of each
            track what it is.

    Raises:
        InputError: The folder can't be written.
    """

    def __init__(
        self,
        folder: Path,
        formats: Sequence[Format] = ("mot",),
        class_names: Sequence[str] = (),
    ) -> None:
        several = class_names if len(class_names) > 1 else ()
        self.paths = {kind: folder / NAMES[kind] for kind in dict.fromkeys(formats)}
        self._folder = folder
        self._frames: list[MotWriter | KittiWriter] = []
        self._timed: list[JsonLinesWriter] = []
        self._open = ExitStack()
        make_folder(folder)
        for kind, path in self.paths.items():
            if kind == "json":
                self._timed.append(self._open.enter_context(JsonLinesWriter(path)))
            else:
                writer = (
                    MotWriter(path, with_classes=bool(several))
                    if kind == "mot"
                    else KittiWriter(path, several)
                )
                self._open.enter_context(writer)
                self._frames.append(writer)

    def add(self, frame: Frame, tracks: Tracks) -> None:
        """Write the tracks of the next frame.

        Raises:
            InputError: The disk is full or gone.
        """
        try:
            for writer in self._frames:
                writer.add(frame.index, tracks)
            for timed in self._timed:
                timed.add(frame.index, tracks, frame.seconds)
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def close(self) -> None:
        """Finish the files."""
        try:
            self._open.close()
        except OSError as error:
            raise _unwritable(self._folder, error) from error


def make_folder(folder: Path) -> None:
    """Make a folder for results where it is missing.

    Raises:
        InputError: It can't be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"{folder}: can't be written ({error.strerror}); make room or choose another folder"
    )
