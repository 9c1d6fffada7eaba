from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jde.data.prepare.prepared import Selection, SetReader
from jde.data.prepare.writing import write_set
from jde.imaging.picture_file import write_picture

MakePicture = Callable[..., Path]
PrepareText = Callable[..., dict[str, str]]


@pytest.fixture
def picture() -> MakePicture:
    """Writes a picture of 200 x 100 pixels, so that labels can be computed by hand."""

    def write(path: Path, size: tuple[int, int] = (200, 100)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(len(str(path))).integers(0, 255, (size[1], size[0], 3))
        write_picture(path, noise.astype(np.uint8))
        return path

    return write


@pytest.fixture
def prepare(tmp_path: Path) -> PrepareText:
    """Prepares the set and returns every text file below the data root, by its path there."""

    def run(read: SetReader, raw: Path, **selection: object) -> dict[str, str]:
        root = tmp_path / "root"
        write_set(read(raw, Selection(folder="SET", **selection)), root, "set")  # type: ignore[arg-type]
        texts = [
            path for path in sorted(root.rglob("*")) if path.suffix in {".txt", ".train", ".val"}
        ]
        return {path.relative_to(root).as_posix(): path.read_text() for path in texts}

    return run
