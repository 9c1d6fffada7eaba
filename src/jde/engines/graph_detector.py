from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

import numpy as np
from jaxtyping import Float32, Int64

from jde.engines.graph_runtime import GraphRuntime
from jde.engines.model_card import BOXES, CLASSES, EMBEDDINGS, SCORES
from jde.imaging.letterboxing import Fitted
from jde.model.config import InputShape
from jde.model.detector import fit_picture, stack
from jde.model.post_processing import PostProcessing
from jde.structures.detections import Detections
from jde.structures.errors import InputError
from jde.structures.frame import Image, Picture
from jde.structures.letterbox import Size


class GraphDetector:
    """Finds what its network knows with a graph that decodes, suppresses and embeds by itself.

    Args:
        runtime: Runs a graph whose outputs are detections.
        settings: Least score and letterboxing; the overlap was fixed when the file was written.
    """

    def __init__(self, runtime: GraphRuntime, settings: PostProcessing | None = None) -> None:
        self.engine = runtime
        self.config = runtime.card.config
        settings = settings or PostProcessing.for_source(self.config.source)
        self.settings = replace(settings, max_overlap=runtime.card.max_overlap)

    @property
    def input_size(self) -> Size:
        """Width and height to which pictures are brought."""
        return self.engine.input_size

    @property
    def streams(self) -> int:
        """Calls of `find` that may be made at the same time, from a thread each."""
        return self.engine.streams

    @property
    def input_shape(self) -> InputShape:
        """Whether the input has the shape of each picture: never, a graph has one."""
        return "fixed"

    def input_for(self, picture: Size) -> Size:  # noqa: ARG002 (as of other detectors)
        """Return the size to which a picture of a given width and height is brought."""
        return self.input_size

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of what it finds, by the numbers in `Detections.classes`."""
        return self.config.classes

    def __call__(self, image: Image) -> Detections:
        """Return the people in one RGB picture, best score first, boxes in its pixels."""
        return self.batch([image])[0]

    def batch(self, images: Sequence[Image]) -> list[Detections]:
        """Return the people in each of several pictures, which may differ in size."""
        return self.find([self.fit(image) for image in images])

    def fit(self, picture: Image | Picture) -> Fitted:
        """Return a picture brought to the graph's input: the part that needs no network."""
        return fit_picture(picture, self.input_for, self.settings)

    def find(self, pictures: Sequence[Fitted]) -> list[Detections]:
        """Return the people in each of several fitted pictures, boxes in the original's pixels."""
        if not pictures:
            return []
        answers = self.engine.run(stack(pictures))
        found = []
        for row, (_, letterbox) in enumerate(pictures):
            kept = answers[SCORES][row] > np.float32(self.settings.min_score)
            boxes = letterbox.to_image(answers[BOXES][row][kept])
            # Graphs of people alone don't say of what class everybody is.
            classes = answers[CLASSES][row][kept] if CLASSES in answers else np.zeros(0)
            found.append(
                Detections(
                    np.round(boxes) if self.settings.rounded else boxes,
                    answers[SCORES][row][kept],
                    answers[EMBEDDINGS][row][kept],
                    classes.astype(np.int64),
                )
            )
        return found

    def embed(self, image: Image, boxes: Float32[np.ndarray, "n 4"]) -> Float32[np.ndarray, "n d"]:
        """Refuse: the graph embeds the people it finds, not given boxes."""
        self._refuse(image, boxes)

    def embed_every_level(
        self, image: Image, boxes: Float32[np.ndarray, "n 4"]
    ) -> tuple[Int64[np.ndarray, " k"], Float32[np.ndarray, "k d"]]:
        """Refuse: the graph embeds the people it finds, not given boxes."""
        self._refuse(image, boxes)

    def _refuse(self, *_: object) -> NoReturn:
        raise InputError(
            "a file of finished detections can't embed given boxes: export it with --outputs maps"
        )
