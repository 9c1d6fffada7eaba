"""A network to a package of machine code that runs in PyTorch alone."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from jde.engines.aotinductor_runtime import build_here
from jde.engines.compiled_package import PackageNotes, write_notes
from jde.engines.head_maps_graph import HeadMapsGraph, MapsAlone
from jde.engines.model_card import IMAGES, ModelCard
from jde.engines.quiet_torch import quiet_torch
from jde.export.detections_graph import DetectionsGraph
from jde.export.writing import drafts
from jde.structures.errors import InputError

MAX_BATCH = 64
"""Pictures that a package for a GPU takes at once."""


def write_aotinductor(
    path: Path, graph: HeadMapsGraph | DetectionsGraph, card: ModelCard, *, device: str
) -> None:
    """Compile a network and write its package.

    Args:
        path: File to write.
        graph: Changed: goes to the device.
        card: What the file says about itself.
        device: `cpu` or `cuda`: what the code is compiled for.

    Raises:
        InputError: There is no C++ compiler, or no such device.
    """
    find_compiler(path)
    width, height = card.config.input_size
    module: nn.Module = graph
    names, constants = list(graph.output_names), {}
    if isinstance(graph, HeadMapsGraph):
        module, constants = MapsAlone(graph), graph.constant_arrays()
        names = [name for name in names if name not in constants]
    notes = PackageNotes(
        card=card, names=tuple(names), build=build_here(device), constants=constants
    )
    module = module.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = torch.zeros(1, height, width, 3, dtype=torch.uint8, device=device)
    # PyTorch ends the program where a disk is full: only a whole package goes there.
    with TemporaryDirectory() as folder, quiet_torch("torch"):
        package = Path(folder) / path.name
        compile_package(module, pictures, package)
        write_notes(package, notes)
        with drafts(path) as (draft,):
            shutil.copyfile(package, draft)


def find_compiler(path: Path) -> None:
    """Refuse to go on without a C++ compiler.

    Raises:
        InputError: None is found; the message says how to get one.
    """
    from torch._inductor.cpp_builder import get_cpp_compiler  # noqa: PLC0415 (loads much)
    from torch._inductor.exc import InvalidCxxCompiler  # noqa: PLC0415

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        raise InputError(
            f"{path}: compiling it needs a C++ compiler, which is not installed: install g++ "
            "(apt install g++), or name yours in the variable CXX"
        ) from error


def compile_package(module: nn.Module, pictures: Tensor, path: Path) -> None:
    """Trace a network, compile it for the device of `pictures` and write the package.

    On a GPU the package takes any number of pictures; on a processor one at a time, with weights
    in the layout that its convolutions want.
    """
    from torch._inductor import aoti_compile_and_package  # noqa: PLC0415 (loads much)

    is_cpu = pictures.device.type == "cpu"
    shapes: dict[str, Any] | None = None
    if not is_cpu:
        pictures = pictures.repeat(2, 1, 1, 1)
        shapes = {IMAGES: {0: torch.export.Dim("pictures", min=1, max=MAX_BATCH)}}
    with torch.no_grad():
        program = torch.export.export(module, (pictures,), dynamic_shapes=shapes)
        aoti_compile_and_package(
            program, package_path=str(path), inductor_configs={"freezing": is_cpu}
        )
