"""Labelled pictures to evaluate on, and what a detector makes of them."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from jde.data.config import DataConfig, SourceConfig, build_joint_source, kind_of
from jde.data.joint import JointSource
from jde.data.sample import UNKNOWN_IDENTITY, Sample
from jde.engines.graph_detector import GraphDetector
from jde.metrics.detection import SeenPicture
from jde.model.detector import Detector
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

logger = logging.getLogger(__name__)


def open_pictures(
    paths: Sequence[Path],
    root: Path | None,
    size: Size,
    *,
    classes: int = 1,
    class_numbers: tuple[int, ...] = (),
) -> JointSource:
    """Return the pictures of all paths, each pixel decoded, with identities numbered over all.

    Args:
        paths: List files, folders with `images` and labels, MOTChallenge sequences or folders of
            them.
        root: Folder that the lines of list files start from; each list's own where None.
        size: Width and height of the network's input.
        classes: How many classes the network has.
        class_numbers: The number of each in the labels; those of the layouts where empty.

    Raises:
        InputError: A path is missing or malformed, or holds no picture.
    """
    sources = tuple(
        SourceConfig(
            kind=kind_of(path), path=str(path), root=str(root or ""), class_numbers=class_numbers
        )
        for path in paths
    )
    if not sources:
        raise InputError("name at least one list file, folder or sequence to evaluate on")
    return build_joint_source(DataConfig(sources=sources, reduced_decoding=False), size, classes)


def all_samples(source: JointSource) -> Iterator[Sample]:
    """Yield every picture once, in order."""
    rng = np.random.default_rng(0)
    return (source.load(index, rng) for index in range(len(source)))


def look_at(
    detector: Detector | GraphDetector, samples: Iterator[Sample], batch: int
) -> Iterator[list[SeenPicture]]:
    """Yield what the detector finds of each of its classes in a picture, beside who is there."""
    while group := list(islice(samples, batch)):
        for sample, found in zip(group, detector.batch([one.image for one in group]), strict=True):
            yield [
                SeenPicture(
                    found.boxes[found.classes == kind],
                    found.scores[found.classes == kind],
                    sample.labels.boxes[sample.labels.classes == kind],
                )
                for kind in range(len(detector.config.classes))
            ]


def embed_people(
    detector: Detector | GraphDetector, samples: Iterable[Sample], *, total: int, every: int
) -> tuple[Float32[np.ndarray, "n dim"], Int64[np.ndarray, " n"]]:
    """Return the embeddings of all people of known identity, and who they are."""
    embeddings: list[Float32[np.ndarray, "_ dim"]] = []
    identities: list[Int64[np.ndarray, " _"]] = []
    for number, sample in enumerate(samples, 1):
        people = sample.labels.where(sample.labels.identities != UNKNOWN_IDENTITY)
        if len(people):
            rows, vectors = detector.embed_every_level(sample.image, people.boxes)
            embeddings.append(vectors)
            identities.append(people.identities[rows])
        if number % every == 0 or number == total:
            logger.info("%7d of %d pictures", number, total)
    dim = detector.config.embedding_dim
    return (
        np.concatenate([np.zeros((0, dim), np.float32), *embeddings]),
        np.concatenate([np.zeros(0, np.int64), *identities]),
    )
