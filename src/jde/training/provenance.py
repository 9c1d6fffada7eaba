"""What somebody needs to repeat a run."""

import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jde.formats.draft import write_text

PACKAGES = (
    "jde",
    "torch",
    "numpy",
    "accelerate",
    "opencv-python-headless",
    "scipy",
    "safetensors",
    "av",
)
GIT_SECONDS = 10


def write_provenance(path: Path, config: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write configuration, facts about data and device, versions and the state of the source."""
    entry = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "config": config,
        **facts,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: found for name in PACKAGES if (found := installed(name))},
        "git": git_state(Path.cwd()),
    }
    write_text(path, json.dumps(entry, indent=2, default=str) + "\n")


def installed(package: str) -> str:
    """Return the version of a package, empty where it is absent."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def git_state(folder: Path) -> dict[str, Any]:
    """Return commit and changed files of the repository around `folder`, empty without one."""
    try:
        commit, changes = (
            subprocess.run(  # noqa: S603 (fixed words)
                ["git", *words],  # noqa: S607 (whichever git the user has)
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
                timeout=GIT_SECONDS,
            ).stdout
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": commit.strip(), "changed": changes.splitlines()}
