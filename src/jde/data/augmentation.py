"""Random changes of training pictures, in the order of the published training."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from jde.data.colour import ColourConfig, degrade, scale_saturation_and_value
from jde.data.copy_paste import CopyPasteConfig
from jde.data.geometry import (
    AffineDraw,
    Matrix,
    letterbox_matrix,
    remains_visible,
    shrink_boxes,
    warp_boxes,
)
from jde.data.sample import Labels, Sample
from jde.imaging.letterboxing import PADDING_COLOUR, letterbox_image
from jde.structures.boxes import clip_to_image
from jde.structures.errors import InputError
from jde.structures.frame import Image
from jde.structures.letterbox import Letterbox, Size

WHITE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationConfig:
    """How much training pictures change; the defaults are the published ranges."""

    saturation: float = 0.5
    """Saturation is multiplied by 1 plus or minus up to this."""
    value: float = 0.5
    """Brightness is multiplied by 1 plus or minus up to this."""
    degrees: float = 5.0
    """Largest rotation to either side."""
    scale: tuple[float, float] = (0.5, 1.2)
    """Smallest and largest growth about the centre."""
    translation: float = 0.1
    """Largest shift as a share of the picture's side."""
    swapped_translation: bool = True
    """Measure the shift in x by the height and that in y by the width, as published."""
    shear: float = 2.0
    """Largest shear in degrees, each way."""
    flip: float = 0.5
    """Probability of a mirrored picture."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Beyond the published: grow by a factor from this range and cut out at a random place."""
    colour: ColourConfig = field(default_factory=ColourConfig)
    """Beyond the published: hue, contrast, blur, noise and compression."""
    single_warp: bool = True
    """Scale and move in one step: sharper and more than twice as fast. False follows the published
    two steps to the pixel."""
    copy_paste: CopyPasteConfig = field(default_factory=CopyPasteConfig)
    """Beyond the published: cut-out people put into pictures of all sources."""
    keep_people: bool = False
    """Leave a picture unmoved where moving it would lose everyone, as PaddleDetection does."""

    def __post_init__(self) -> None:
        for name in ("scale", "zoom"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise InputError(f"{name} must be two rising numbers above 0, got {low:g} {high:g}")
        for name in ("saturation", "value", "flip"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must lie from 0 to 1, got {getattr(self, name):g}")


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Turns a sample into a training picture of the network's size.

    Attributes:
        config: How much pictures change.
        size: Width and height of the network's input.
    """

    config: AugmentationConfig
    size: Size

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the changed picture; boxes are corners in pixels of the network's input."""
        config = self.config
        saturation = 1 + rng.uniform(-config.saturation, config.saturation)
        value = 1 + rng.uniform(-config.value, config.value)
        affine, zoom = draw_affine(config, self.size, rng), draw_zoom(config, self.size, rng)
        height, width = sample.image.shape[:2]
        box = Letterbox.fit((width, height), self.size)
        matrix, labels = self._moved(sample.labels, box, affine, zoom)
        if config.single_warp:
            image = warp_once(sample.image, box, matrix, self.size, border_before(value))
            image = scale_saturation_and_value(image, saturation, value)
        else:
            image = scale_saturation_and_value(sample.image, saturation, value)
            image = warp_letterboxed(image, matrix, self.size)
        if rng.random() < config.flip:
            image, labels = cv2.flip(image, 1), flip_labels(labels, self.size[0])
        return replace(sample, image=degrade(image, config.colour, rng), labels=labels)

    def _moved(
        self, labels: Labels, box: Letterbox, affine: AffineDraw, zoom: Matrix
    ) -> tuple[Matrix, Labels]:
        matrix = affine.matrix(self.size) @ zoom
        boxes = box.to_network(labels.boxes)
        moved = move_labels(replace(labels, boxes=boxes), affine, zoom, self.size)
        if self.config.keep_people and len(labels) and not len(moved):
            return np.eye(3), replace(labels, boxes=boxes)
        return matrix, moved


def check_shape(sample: Sample, size: Size) -> None:
    """Refuse a picture of which nothing is left when it is scaled into `size`.

    Raises:
        InputError: The picture is too long for its width or height.
    """
    height, width = sample.image.shape[:2]
    if 0 in Letterbox.fit((width, height), size).resized:
        raise InputError(f"{sample.path}: {width}x{height} is too thin a picture; remove it")


def letterbox_sample(sample: Sample, size: Size) -> Sample:
    """Return the sample scaled and centred in a picture of `size`, and nothing else changed."""
    image, box = letterbox_image(sample.image, size)
    boxes = box.to_network(sample.labels.boxes)
    return replace(sample, image=image, labels=replace(sample.labels, boxes=boxes))


def draw_affine(config: AugmentationConfig, size: Size, rng: np.random.Generator) -> AffineDraw:
    """Return a random movement within the ranges of `config`."""
    across, down = size[::-1] if config.swapped_translation else size
    reach = config.translation
    return AffineDraw(
        degrees=rng.uniform(-config.degrees, config.degrees),
        scale=rng.uniform(*config.scale),
        translation=(
            rng.uniform(-reach, reach) * across,
            rng.uniform(-reach, reach) * down,
        ),
        shear=(
            rng.uniform(-config.shear, config.shear),
            rng.uniform(-config.shear, config.shear),
        ),
    )


def draw_zoom(config: AugmentationConfig, size: Size, rng: np.random.Generator) -> Matrix:
    """Return a random growth, even on a logarithmic scale, towards a random place."""
    factor = np.exp(rng.uniform(*np.log(config.zoom)))
    place = rng.uniform(size=2) * size * (1 - factor)
    return np.array([[factor, 0, place[0]], [0, factor, place[1]], [0, 0, 1]])


def move_labels(labels: Labels, affine: AffineDraw, zoom: Matrix, size: Size) -> Labels:
    """Return who is still visible after the movement, and where."""
    start = warp_boxes(labels.boxes, zoom)
    hulls = warp_boxes(start, affine.matrix(size))
    boxes = clip_to_image(shrink_boxes(hulls, affine.degrees), size)
    return replace(labels, boxes=boxes.astype(np.float32)).where(remains_visible(start, boxes))


def flip_labels(labels: Labels, width: int) -> Labels:
    """Return the labels of the mirrored picture."""
    boxes = labels.boxes.copy()
    boxes[:, [0, 2]] = width - labels.boxes[:, [2, 0]]
    return replace(labels, boxes=boxes)


def warp_letterboxed(image: Image, matrix: Matrix, size: Size) -> Image:
    """Return the letterboxed picture after a second step that moves it."""
    return cv2.warpPerspective(
        letterbox_image(image, size)[0],
        matrix,
        size,
        flags=cv2.INTER_LINEAR,
        borderValue=(PADDING_COLOUR,) * 3,
    )


def warp_once(image: Image, box: Letterbox, matrix: Matrix, size: Size, border: int) -> Image:
    """Return the picture scaled and moved in one step, with grey level `border` around it."""
    width, height = image.shape[1], image.shape[0]
    whole = matrix @ letterbox_matrix(box, (width, height))
    # Bilinear sampling sees 2x2 pixels: averaging pairs first keeps stripes from flickering.
    while np.sqrt(abs(np.linalg.det(whole[:2, :2]))) <= 0.5:  # noqa: PLR2004 (half the size)
        half = max(width // 2, 1), max(height // 2, 1)
        image = cv2.resize(image, half, interpolation=cv2.INTER_AREA)
        across, down = width / half[0], height / half[1]
        whole = whole @ np.array(
            [[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]]
        )
        width, height = half
    return cv2.warpAffine(image, whole[:2], size, flags=cv2.INTER_LINEAR, borderValue=(border,) * 3)


def border_before(value: float) -> int:
    """Return the grey that multiplying the brightness by `value` turns into the padding colour."""
    return min(int(np.ceil(PADDING_COLOUR / max(value, PADDING_COLOUR / WHITE))), WHITE)
