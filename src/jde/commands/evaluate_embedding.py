import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Float32, Int64

from jde.commands.labelled_pictures import all_samples, open_pictures
from jde.data.sample import UNKNOWN_IDENTITY, Sample
from jde.engines.graph_detector import GraphDetector
from jde.metrics.embedding import verification_rates
from jde.metrics.score_table import render_table
from jde.model.detector import Detector
from jde.weights.loading import load_detector

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateEmbeddingOptions:
    """Score re-identification on labelled pictures: true positive rates at given false ones.

    `jde evaluate embedding data/cuhksysu.val data/prw.val --root data --weights jde-nano`
    Every labelled person with an identity is embedded at the true box, on each level of the network
    that has an anchor of its shape; all pairs of embeddings are compared, as the JDE papers do.
    """

    data: tyro.conf.Positional[tuple[Path, ...]]
    """List files, folders with images and labels_with_ids, MOTChallenge sequences or folders."""

    weights: str = "jde-nano"
    """Name that `jde zoo` lists, or a weight file."""

    root: Path | None = None
    """Folder that the lines of list files start from; each list's own where not given."""

    size: tuple[int, int] | None = None
    """Width and height of the network's input, where the weights do not say it."""

    device: str = "auto"
    """Where the network runs: auto, cpu, cuda, cuda:1, ..."""

    every: int = 100
    """Pictures between two lines that tell how far the run is."""

    json: Path | None = None
    """Also write all figures to this JSON file."""


def run(options: EvaluateEmbeddingOptions) -> str:
    """Embed the labelled people, write what was asked for and return the table."""
    detector = load_detector(options.weights, device=options.device, size=options.size)
    source = open_pictures(options.data, options.root, detector.input_size)
    embeddings, identities = embed_people(
        detector, all_samples(source), total=len(source), every=options.every
    )
    found = verification_rates(embeddings, identities)
    figures = {
        "embeddings": found.embeddings,
        "same": found.same,
        "different": found.different,
        **{f"TPR@{rate:.0e}": value for rate, value in found.rates.items()},
    }
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return render_table({options.weights: figures})


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
