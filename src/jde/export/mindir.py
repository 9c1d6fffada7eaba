"""A network to MINDIR, the file that MindSpore and its device tools read."""

from pathlib import Path
from typing import Any

import numpy as np

from jde.engines.mindspore_runtime import import_mindspore
from jde.engines.model_card import PREFIX, ModelCard
from jde.export.writing import drafts


def write_mindir(path: Path, file: bytes, card: ModelCard) -> None:
    """Write an ONNX graph of dense head maps, all shapes numbers, as MINDIR with its card.

    Raises:
        MissingExtraError: MindSpore isn't installed.
    """
    mindspore = import_mindspore("writing MINDIR")
    from jde.export.mindspore_network import to_mindspore  # noqa: PLC0415 (optional)

    def add_card(model: Any) -> None:
        for key, text in card.to_entries().items():
            model.user_info[PREFIX + key] = text

    width, height = card.config.input_size
    picture = mindspore.Tensor(np.zeros((1, height, width, 3), np.uint8))
    mindspore.set_context(mode=mindspore.GRAPH_MODE)
    network = to_mindspore(file).set_train(mode=False)
    with drafts(path) as (draft,):
        mindspore.export(
            network,
            picture,
            file_name=str(draft.with_suffix("")),
            file_format="MINDIR",
            custom_func=add_card,
        )
