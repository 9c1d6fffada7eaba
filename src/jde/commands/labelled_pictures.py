"""Labelled pictures to evaluate on, from folders and list files of any layout."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from jde.data.config import DataConfig, SourceConfig, build_joint_source, kind_of
from jde.data.joint import JointSource
from jde.data.sample import Sample
from jde.structures.errors import InputError
from jde.structures.letterbox import Size


def open_pictures(paths: Sequence[Path], root: Path | None, size: Size) -> JointSource:
    """Return the pictures of all paths, each pixel decoded, with identities numbered over all.

    Args:
        paths: List files, folders with `images` and labels, MOTChallenge sequences or folders of
            them.
        root: Folder that the lines of list files start from; each list's own where None.
        size: Width and height of the network's input.

    Raises:
        InputError: A path is missing or malformed, or holds no picture.
    """
    sources = tuple(
        SourceConfig(kind=kind_of(path), path=str(path), root=str(root or "")) for path in paths
    )
    if not sources:
        raise InputError("name at least one list file, folder or sequence to evaluate on")
    return build_joint_source(DataConfig(sources=sources, reduced_decoding=False), size)


def all_samples(source: JointSource) -> Iterator[Sample]:
    """Yield every picture once, in order."""
    rng = np.random.default_rng(0)
    return (source.load(index, rng) for index in range(len(source)))
