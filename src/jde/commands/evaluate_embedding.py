import json
from dataclasses import dataclass
from pathlib import Path

import tyro

from jde.formats.draft import write_text
from jde.metrics.embedding import verification_rates
from jde.metrics.score_table import render_table
from jde.training.labelled_pictures import all_samples, embed_people, open_pictures
from jde.weights.loading import load_detector


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
    """Width and height of the network's input [default: that of the weights]. Every picture is
    brought to it, also where the weights would fit their input to the shape of a video."""

    device: str = "auto"
    """Where the network runs: auto, cpu, cuda, cuda:1, ..."""

    every: int = 100
    """Pictures between two lines that tell how far the run is."""

    json: Path | None = None
    """Also write all figures to this JSON file."""


def run(options: EvaluateEmbeddingOptions) -> str:
    """Embed the labelled people, write what was asked for and return the table."""
    detector = load_detector(
        options.weights, device=options.device, size=options.size, shape="fixed"
    )
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
        write_text(options.json, json.dumps(figures, indent=2) + "\n")
    return render_table({options.weights: figures})
