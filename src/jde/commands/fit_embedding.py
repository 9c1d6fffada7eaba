from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from jde.structures.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class FitEmbeddingOptions:
    r"""Give a trained network an embedding that tells people apart in places it never saw.

        jde fit-embedding runs/jde-nano/weights.safetensors mine.safetensors \
            --config configs/embedding.yaml

    The embedding is read from the backbone's finest map at points down the middle of each box and
    computed from labelled people in closed form: a minute or two instead of training. What the
    network finds doesn't change.
    """

    source: Annotated[str, tyro.conf.Positional]
    """Weight file, or a name that 'jde zoo' lists: a network that finds people already."""

    output: Annotated[Path, tyro.conf.Positional]
    """File to write, .safetensors."""

    config: Path = Path("configs/embedding.yaml")
    """YAML file as for 'jde train': its pictures, batch size and seed count."""

    points: int = 8
    """Points down the middle of a box; they divide the length of the embedding (128) into parts."""

    batches: int = 100
    """Batches of pictures to look at."""

    half: bool = False
    """Store kernels in 16 bits."""


def run(options: FitEmbeddingOptions) -> str:
    """Fit an embedding, write the network and say where."""
    from jde.config import load_config  # noqa: PLC0415 (keeps help quick)
    from jde.data.config import build_joint_source, build_loader  # noqa: PLC0415
    from jde.data.sampling import EpochPlan  # noqa: PLC0415
    from jde.training.appearance import fit_appearance  # noqa: PLC0415
    from jde.training.freed_memory import keep_freed_memory  # noqa: PLC0415
    from jde.weights.native import write_network  # noqa: PLC0415
    from jde.weights.running import load_whole_network  # noqa: PLC0415
    from jde.weights.writing import NATIVE  # noqa: PLC0415

    if options.output.suffix != NATIVE:
        raise InputError(f"{options.output}: only {NATIVE} files can hold such an embedding")
    if options.batches < 1 or options.points < 1:
        raise InputError("points and batches must be 1 or more")
    run_config = load_config(options.config)
    network = load_whole_network(options.source, size=None, shape="auto")
    size = network.config.input_size
    source = build_joint_source(run_config.data, size, len(network.config.classes))
    plan = EpochPlan(len(source), run_config.training.batch_size, run_config.seed)
    feed = build_loader(run_config.data, source, plan, size)
    keep_freed_memory()
    fitted = fit_appearance(network, feed, points=options.points, batches=options.batches)
    write_network(options.output, fitted, half=options.half)
    megabytes = options.output.stat().st_size / 1e6
    return (
        f"{options.source}: embedding read at {options.points} points of a box\n"
        f"{options.output}: {megabytes:.1f} MB"
    )
