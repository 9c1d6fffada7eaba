"""A network in 8 bits, for measuring how fast it is."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from jde.data.scenes.scene import Scene
from jde.engines.exported_file import ExportFormat, open_export
from jde.engines.graph_engine import GraphEngine
from jde.engines.parallelism import Parallelism
from jde.export.exporting import ExportSettings, export_network
from jde.export.quantisation import prepare
from jde.export.writing import ENDS
from jde.model.network import JDENet
from jde.structures.letterbox import Size

PICTURES = 4
"""Few, since the speed doesn't depend on the ranges that calibration finds."""


def start_int8(
    network: JDENet, kind: ExportFormat, folder: Path, parallelism: Parallelism
) -> GraphEngine:
    """Return an engine that runs a network in 8 bits, calibrated on a few drawn pictures.

    Args:
        network: Copied.
        kind: What runs it.
        folder: Gets the file.
        parallelism: Threads of the network, and pictures side by side.

    Raises:
        MissingExtraError: A package that it needs isn't installed.
    """
    path = folder / f"int8{ENDS[kind]}"
    pictures = drawn_pictures(network.config.input_size)
    export_network(network, path, ExportSettings(format=kind), calibration=pictures)
    return GraphEngine(open_export(path, parallelism=parallelism))


def drawn_pictures(size: Size) -> list[UInt8[np.ndarray, "1 h w 3"]]:
    """Return drawn pictures as a network of an input size gets them."""
    scenes = [Scene(seed=seed) for seed in range(PICTURES)]
    return prepare([next(iter(scene.frames(1))).frame.image for scene in scenes], size)
