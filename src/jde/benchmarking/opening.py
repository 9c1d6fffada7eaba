"""Weights or exported files to the engines that run them. Exported files need no torch."""

from dataclasses import replace
from pathlib import Path

from jde.benchmarking.contestants import Contestants, Wish
from jde.engines.exported_file import open_export, recognise_export
from jde.engines.graph_engine import GraphEngine
from jde.structures.errors import InputError


def open_contestants(wish: Wish, folder: Path) -> Contestants:
    """Return every engine that can run here.

    Args:
        wish: What to compare.
        folder: For files that engines need.

    Raises:
        InputError: An engine is unknown, the weights can't be used, or no engine is installed.
    """
    if wish.preset is None and recognise_export(Path(wish.weights)):
        return exported_contestant(wish)
    from jde.benchmarking.weights_engines import open_weights  # noqa: PLC0415 (needs torch)

    return open_weights(wish, folder)


def exported_contestant(wish: Wish) -> Contestants:
    """Return the engine that an exported file was written for."""
    path = Path(wish.weights)
    runtime = open_export(path, size=wish.size, parallelism=wish.parallelism)
    if runtime.card.outputs != "maps":
        raise InputError(f"{path}: holds finished detections; measure one of --outputs maps")
    name = runtime.name.replace(" cpu ", ":")
    notes = [f"{path.name} runs on {runtime.name} only; --engines does not count"]
    config = replace(runtime.card.config, input_shape="fixed")
    return Contestants({name: GraphEngine(runtime)}, config, notes)
