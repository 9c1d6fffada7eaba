"""One picture put together from four, so that people appear in many sizes and places."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from jde.data.geometry import remains_visible
from jde.data.sample import Labels, Sample
from jde.structures.boxes import clip_to_image
from jde.structures.letterbox import Size

CENTRE = (0.3, 0.7)
"""Where the four pictures meet, as shares of width and height."""
GROWTH = (1.0, 1.6)
"""How much bigger than its quarter each picture is drawn."""


def mosaic(samples: Sequence[Sample], size: Size, rng: np.random.Generator) -> Sample:
    """Return a picture of `size` (width, height) whose quarters show a part of each of `samples`.

    It bears the name of the first.
    """
    middle = (rng.uniform(*CENTRE, size=2) * size).astype(int).tolist()
    canvas = np.empty((size[1], size[0], 3), np.uint8)
    people = list[Labels]()
    for number, sample in enumerate(samples):
        left, right = ((0, middle[0]), (middle[0], size[0]))[number % 2]
        top, bottom = ((0, middle[1]), (middle[1], size[1]))[number // 2]
        part = _cut(sample, (right - left, bottom - top), rng)
        canvas[top:bottom, left:right] = part.image
        shift = np.array([left, top, left, top], np.float32)
        people.append(replace(part.labels, boxes=part.labels.boxes + shift))
    labels = Labels(
        np.concatenate([one.boxes for one in people]),
        np.concatenate([one.identities for one in people]),
        np.concatenate([one.classes for one in people]),
    )
    return replace(samples[0], image=canvas, labels=labels)


def _cut(sample: Sample, size: Size, rng: np.random.Generator) -> Sample:
    height, width = sample.image.shape[:2]
    scale = max(size[0] / width, size[1] / height) * rng.uniform(*GROWTH)
    whole = max(round(width * scale), size[0]), max(round(height * scale), size[1])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(sample.image, whole, interpolation=interpolation)
    left, top = (int(rng.integers(whole[axis] - size[axis] + 1)) for axis in (0, 1))
    growth = np.array([whole[0] / width, whole[1] / height] * 2)
    moved = sample.labels.boxes * growth - np.array([left, top, left, top])
    boxes = clip_to_image(moved, size).astype(np.float32)
    labels = replace(sample.labels, boxes=boxes).where(remains_visible(moved, boxes))
    return replace(sample, image=image[top : top + size[1], left : left + size[0]], labels=labels)
