from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jde.formats.jde_labels import label_path
from jde.imaging.picture_file import write_picture

AddPicture = Callable[..., Path]


@pytest.fixture
def add(tmp_path: Path) -> AddPicture:
    """Adds a picture of 200 x 100 pixels with labels to a list file of the data root."""
    listed: dict[str, int] = {}

    def run(name: str, labels: str | None, *, to: str = "a.train", seed: int | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        listed[name] = len(listed)
        rng = np.random.default_rng(listed[name] if seed is None else seed)
        write_picture(path, rng.integers(0, 255, (100, 200, 3), np.uint8))
        if labels is not None:
            target = tmp_path / label_path(Path(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(labels)
        with (tmp_path / to).open("a") as file:
            file.write(f"{name}\n")
        return path

    return run
