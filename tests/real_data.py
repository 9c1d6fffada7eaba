"""Where the real data lies: never in the repository."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("JDE_DATA", Path(__file__).parents[2] / "shared" / "data"))

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no real data at {DATA}; set JDE_DATA to where it lies"
)
