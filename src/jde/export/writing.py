"""Graphs to files that say what they are."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jde.engines.conversion import to_openvino
from jde.engines.exported_file import ExportFormat
from jde.engines.model_card import PREFIX, ModelCard
from jde.engines.openvino_runtime import import_openvino, write_card
from jde.formats.draft import writing
from jde.structures.errors import InputError, MissingExtraError

ENDS: dict[ExportFormat, str] = {
    "onnx": ".onnx",
    "openvino": ".xml",
    "aotinductor": ".pt2",
    "mindir": ".mindir",
    "tensorrt": ".engine",
}
"""How the names of exported files end."""


def check_name(path: Path, kind: ExportFormat) -> None:
    """Refuse a name that others wouldn't recognise, or that can't be written.

    Raises:
        InputError: The message names the right end, or the folder in the way.
    """
    if path.suffix != ENDS[kind]:
        raise InputError(f"{path}: the name of an {kind} file must end in {ENDS[kind]}")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file in it")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"{path}: nothing can be written in {folder}; name another place")


def write_onnx(path: Path, graph: bytes, card: ModelCard) -> None:
    """Write an ONNX graph with its card.

    Raises:
        MissingExtraError: The package `onnx` isn't installed.
    """
    try:
        import onnx  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise MissingExtraError("onnx", "export", "writing ONNX") from error
    model = onnx.load_from_string(graph)
    entries = {PREFIX + key: text for key, text in card.to_entries().items()}
    onnx.helper.set_model_props(model, entries)
    with drafts(path) as (draft,):
        onnx.save(model, str(draft))


def write_openvino(path: Path, graph: Any, card: ModelCard) -> None:
    """Write an OpenVINO graph (.xml) and its weights (.bin beside it) with its card.

    Args:
        path: Of the .xml.
        graph: OpenVINO graph, or an ONNX graph in memory.
        card: What the file says about itself.
    """
    openvino = import_openvino("writing OpenVINO")
    if isinstance(graph, bytes):
        graph = to_openvino(graph, card)
    write_card(graph, card)
    with drafts(path.with_suffix(".bin"), path) as (_, draft), writing(path, RuntimeError):
        openvino.save_model(graph, draft, compress_to_fp16=False)


@contextmanager
def drafts(*paths: Path) -> Iterator[list[Path]]:
    """Give drafts to write that take the places of `paths` once they are complete.

    Raises:
        UnwritableError: They can't; the message names the last, which was asked for.
    """
    folder = paths[0].parent
    with writing(paths[-1]):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export.") as aside:
            found = [Path(aside) / path.name for path in paths]
            yield found
            for draft, path in zip(found, paths, strict=True):
                draft.replace(path)
