from pathlib import Path

import pytest

from jde.commands.scenes import ScenesOptions, run
from jde.formats.seqinfo import read_seqinfo
from jde.structures.errors import InputError


def test_command_writes_a_sequence_and_says_where(tmp_path: Path) -> None:
    output = tmp_path / "street"
    text = run(ScenesOptions(output=output, frames=4, size=(128, 96), people=3))
    assert str(output / "gt" / "gt.txt") in text
    assert read_seqinfo(output).length == 4
    assert (output / "scene.mp4").stat().st_size > 0


def test_command_can_leave_the_video_out(tmp_path: Path) -> None:
    run(ScenesOptions(output=tmp_path, frames=1, size=(128, 96), people=1, video=False))
    assert not (tmp_path / "scene.mp4").exists()


def test_settings_that_make_no_scene_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--size"):
        ScenesOptions(output=tmp_path, size=(10, 200))
    with pytest.raises(InputError, match="--people"):
        ScenesOptions(output=tmp_path, people=-1)
    with pytest.raises(InputError, match="belong together"):
        ScenesOptions(output=tmp_path, cutouts=(tmp_path,))
