"""MINDIR, where MindSpore is installed: 800 MB, so not in the extras of the tests."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mindspore", reason="needs MindSpore: pip install 'jde[mindir]'")

pytestmark = pytest.mark.slow


def test_a_written_file_finds_in_mindspore_what_the_weights_find(tmp_path: Path) -> None:
    path = tmp_path / "street.mindir"
    # In a process of its own: MindSpore reads the source text of what it compiles, and the checks
    # of shapes that tests run under would change that.
    done = subprocess.run(
        [sys.executable, "-m", "jde", "export", path, "--size", "320", "192"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "nano at 320x192, maps" in done.stdout
    assert "runs as mindspore cpu float32" in done.stdout
    assert "identical after suppression  100.00 %" in done.stdout
