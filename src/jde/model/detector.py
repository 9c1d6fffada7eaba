from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from jde.imaging.letterboxing import Fitted, letterbox_image
from jde.model.box_points import FINEST, point_cells
from jde.model.config import InputShape, ModelConfig
from jde.model.decoding import Candidates, cells_of_boxes, decode
from jde.model.head_maps import Engine, HeadMaps
from jde.model.post_processing import PostProcessing
from jde.model.suppression import best_first, suppress_by_class
from jde.structures.detections import Detections
from jde.structures.errors import InputError
from jde.structures.fitted_size import fitted_size
from jde.structures.frame import Image, Picture, size_of
from jde.structures.letterbox import Letterbox, Size

TINY = 1e-12
"""Least length by which an embedding is divided."""

MIN_ANCHOR_OVERLAP = 0.6
"""Overlap of shapes from which on an anchor answers for a box in the published embedding test."""


class Detector:
    """Finds people, or whatever its network knows, in pictures and embeds their appearance.

    Args:
        engine: Runs the network.
        config: What the network is. Its input is fitted to each picture where the configuration
            says so and the engine takes any size.
        settings: Thresholds and conventions; those of the weights' source where not given.
    """

    def __init__(
        self, engine: Engine, config: ModelConfig, settings: PostProcessing | None = None
    ) -> None:
        self.engine = engine
        self.config = config
        self.settings = settings or PostProcessing.for_source(config.source)

    @property
    def input_size(self) -> Size:
        """Width and height to which pictures are brought, or spend as many pixels as."""
        return self.engine.input_size

    @property
    def streams(self) -> int:
        """Calls of `find` that may be made at the same time, from a thread each."""
        return self.engine.streams

    @property
    def input_shape(self) -> InputShape:
        """Whether all pictures are brought to the input size, or each to one of its own shape."""
        return self.config.input_shape if self.engine.takes_any_size else "fixed"

    def input_for(self, picture: Size) -> Size:
        """Return the size to which a picture of a given width and height is brought."""
        if self.input_shape == "fitted":
            return fitted_size(picture, self.input_size)
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
        """Return a picture brought to the network's input: the part that needs no network.

        Raises:
            InputError: It is no picture.
        """
        return fit_picture(picture, self.input_for, self.settings)

    def find(self, pictures: Sequence[Fitted]) -> list[Detections]:
        """Return the people in each of several fitted pictures, boxes in the original's pixels."""
        found: dict[int, Detections] = {}
        for places in same_sizes(pictures):
            group = [pictures[place] for place in places]
            maps = self.engine(stack(group))
            for row, (place, each) in enumerate(zip(places, group, strict=True)):
                found[place] = self.detect(maps, row, each.letterbox)
        return [found[place] for place in range(len(pictures))]

    def embed(self, image: Image, boxes: Float32[np.ndarray, "n 4"]) -> Float32[np.ndarray, "n d"]:
        """Return unit embeddings of given corner boxes, each from the level that fits its size."""
        fitted = self.fit(image)
        size, maps = size_of(fitted.image), self.engine(stack([fitted]))
        inside = fitted.letterbox.to_network(boxes)
        if self.config.appearance_points:
            return self._embed_boxes(maps, 0, inside)
        overlaps = np.stack(
            [shape_overlaps(inside, np.array(a)).max(axis=1) for a in self.config.anchors]
        )
        levels = overlaps.argmax(axis=0).astype(np.int64)
        rows, columns = np.zeros(len(boxes), np.int64), np.zeros(len(boxes), np.int64)
        for level in np.unique(levels):
            mine = levels == level
            rows[mine], columns[mine] = cells_of_boxes(inside[mine], size, int(level))
        return self._embed(maps, 0, levels, rows, columns)

    def embed_every_level(
        self, image: Image, boxes: Float32[np.ndarray, "n 4"]
    ) -> tuple[Int64[np.ndarray, " k"], Float32[np.ndarray, "k d"]]:
        """Return row numbers of `boxes` and unit embeddings as the published embedding test does.

        A box counts at every level that has an anchor of its shape (overlap above 0.6), at the cell
        of its centre; of boxes that share cell and anchor the best one counts (specification,
        section 9). A network that reads points of the box gives the same at every level: its boxes
        count once.
        """
        fitted = self.fit(image)
        size, maps = size_of(fitted.image), self.engine(stack([fitted]))
        inside = fitted.letterbox.to_network(boxes)
        found = [
            answered_boxes(inside, np.array(anchors), size, level)
            for level, anchors in enumerate(self.config.anchors)
        ]
        if self.config.appearance_points:
            once = np.unique(np.concatenate(found))
            return once, self._embed_boxes(maps, 0, inside[once])
        embeddings = []
        for level, chosen in enumerate(found):
            rows, columns = cells_of_boxes(inside[chosen], size, level)
            levels = np.full(len(chosen), level, np.int64)
            embeddings.append(self._embed(maps, 0, levels, rows, columns))
        return np.concatenate(found), np.concatenate(embeddings)

    def detect(self, maps: HeadMaps, picture: int, letterbox: Letterbox) -> Detections:
        """Return the people in one picture of a batch whose head maps are there already."""
        settings = self.settings
        found = decode(maps.levels, self.config.anchors, picture, min_score=settings.min_score)
        found = found.where(best_first(found.scores, settings.max_candidates))
        kept = suppress_by_class(
            found.boxes,
            found.scores,
            found.classes,
            max_overlap=settings.max_overlap,
            margin=float(settings.pixel_overlap),
        )
        return self._finish(maps, picture, letterbox, found.where(kept[: settings.max_detections]))

    def _finish(
        self, maps: HeadMaps, picture: int, letterbox: Letterbox, kept: Candidates
    ) -> Detections:
        boxes = letterbox.to_image(kept.boxes)
        return Detections(
            np.round(boxes) if self.settings.rounded else boxes,
            kept.scores,
            self._embed_boxes(maps, picture, kept.boxes)
            if self.config.appearance_points
            else self._embed(maps, picture, kept.levels, kept.rows, kept.columns),
            kept.classes,
        )

    def _embed_boxes(
        self, maps: HeadMaps, picture: int, boxes: Float32[np.ndarray, "n 4"]
    ) -> Float32[np.ndarray, "n d"]:
        if not len(boxes):
            return np.zeros((0, self.config.embedding_dim), np.float32)
        height, width = maps.levels[FINEST].objectness.shape[-2:]
        cells = point_cells(boxes, self.config.appearance_points, height, width)
        return to_unit(maps.point_embeddings(FINEST, picture, cells))

    def _embed(
        self,
        maps: HeadMaps,
        picture: int,
        levels: Int64[np.ndarray, " n"],
        rows: Int64[np.ndarray, " n"],
        columns: Int64[np.ndarray, " n"],
    ) -> Float32[np.ndarray, "n d"]:
        embeddings = np.zeros((len(levels), self.config.embedding_dim), np.float32)
        for level in np.unique(levels):
            mine = levels == level
            pictures = np.full(int(mine.sum()), picture, np.int64)
            embeddings[mine] = maps.embeddings(int(level), pictures, rows[mine], columns[mine])
        return to_unit(embeddings)


def to_unit(embeddings: Float32[np.ndarray, "n d"]) -> Float32[np.ndarray, "n d"]:
    """Return embeddings of unit length."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings / np.maximum(lengths, np.float32(TINY))


def fit_picture(
    picture: Image | Picture, input_for: Callable[[Size], Size], settings: PostProcessing
) -> Fitted:
    """Return a picture brought to the network's input, and the map used.

    Args:
        picture: Pixels, or what makes them.
        input_for: Returns the size of the input for that of a picture.
        settings: Conventions of the letterbox.

    Raises:
        InputError: It is no picture.
    """
    if isinstance(picture, np.ndarray):
        check_image(picture)
    size = input_for(size_of(picture))
    return letterbox_image(picture, size, rounded_padding=settings.rounded_padding)


def same_sizes(pictures: Sequence[Fitted]) -> list[list[int]]:
    """Return the places of fitted pictures, those of one size together."""
    places: dict[Size, list[int]] = {}
    for place, each in enumerate(pictures):
        places.setdefault(size_of(each.image), []).append(place)
    return list(places.values())


def stack(pictures: Sequence[Fitted]) -> UInt8[np.ndarray, "n h w 3"]:
    """Return fitted pictures of one size as one batch."""
    if len(pictures) == 1:
        return pictures[0].image[None]
    return np.stack([each.image for each in pictures])


def answered_boxes(
    boxes: Float32[np.ndarray, "n 4"], anchors: np.ndarray, size: Size, level: int
) -> Int64[np.ndarray, " k"]:
    """Return the row numbers of the boxes for which an anchor of a level answers."""
    overlaps = shape_overlaps(boxes, anchors)
    if not len(boxes):
        return np.zeros(0, np.int64)
    kinds, best = overlaps.argmax(axis=1), overlaps.max(axis=1)
    rows, columns = cells_of_boxes(boxes, size, level)
    order = np.argsort(-best, kind="stable")
    places = np.stack([rows, columns, kinds], axis=1)[order]
    _, first = np.unique(places, axis=0, return_index=True)
    chosen = np.sort(order[first])
    return chosen[best[chosen] > MIN_ANCHOR_OVERLAP].astype(np.int64)


def shape_overlaps(boxes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Return the overlap (n, m) of boxes and anchors laid on a common centre."""
    sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
    shared = np.minimum(sides, anchors[None]).prod(axis=2)
    return shared / (sides.prod(axis=2) + anchors.prod(axis=1)[None] - shared + 1e-16)


def check_image(image: Image) -> None:
    """Refuse what is no picture.

    Raises:
        InputError: Not 8-bit RGB, or without pixels.
    """
    if image.dtype != np.uint8 or image.ndim != len("hwc") or image.shape[2] != len("rgb"):
        raise InputError(
            f"an image must be uint8 of shape (height, width, 3), got {image.dtype} {image.shape}"
        )
    if 0 in image.shape:
        raise InputError(f"an image must have pixels, got {image.shape[1]}x{image.shape[0]}")
