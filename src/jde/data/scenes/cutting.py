"""Cuts people out of labelled pictures."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float64

from jde.data.mask_source import MASK_FOLDER, PICTURE_FOLDER
from jde.data.picture_source import PictureSource
from jde.data.sample import UNKNOWN_IDENTITY
from jde.data.scenes.cutouts import Opacity, write_cutout
from jde.imaging.picture_file import list_pictures, read_picture
from jde.structures.boxes import areas
from jde.structures.errors import InputError
from jde.structures.frame import Image

LEAST_HEIGHT = 70
"""Smaller people are too coarse to be pasted."""
SLIMMEST, WIDEST = 1.6, 4.2
"""Height by width of people who are seen whole."""
MOST_COVERED = 0.08
"""Share of a box that other boxes may cover."""
WORKING_HEIGHT = 128
"""Rows at which a crop is parted into person and background."""
MARGIN = 0.12
"""What is looked at around a box to learn the background, in parts of its sides."""


class View(NamedTuple):
    """One sighting of a person that is fit for cutting."""

    identity: int
    picture: Path
    box: Float64[np.ndarray, " 4"]


def cut_by_masks(folder: Path, output: Path) -> int:
    """Cut out everybody in `images` whom `masks` gives a number, and return how many there are.

    Everybody becomes an identity with one view. People cut by the picture's edge are left out.

    Raises:
        InputError: A folder, picture or mask is missing or unreadable.
    """
    count = 0
    masks = {path.stem.removesuffix("_mask"): path for path in list_pictures(folder / MASK_FOLDER)}
    for picture in list_pictures(folder / PICTURE_FOLDER):
        if picture.stem not in masks:
            raise InputError(f"{picture}: has no mask in {folder / MASK_FOLDER}")
        mask = cv2.imread(str(masks[picture.stem]), cv2.IMREAD_GRAYSCALE)
        image = read_picture(picture)
        if mask is None or mask.shape != image.shape[:2]:
            raise InputError(f"{masks[picture.stem]}: is no mask of the size of {picture}")
        for number in range(1, int(mask.max()) + 1):
            person = (mask == number).view(np.uint8)
            left, top, width, height = cv2.boundingRect(person)
            box = np.array([left, top, left + width, top + height], np.float64)
            if not _is_whole(box, (mask.shape[1], mask.shape[0])):
                continue
            inside = slice(top, top + height), slice(left, left + width)
            opacity = _feather(person[inside] * np.uint8(255))
            write_cutout(output / f"{picture.stem}-{number}" / "0.png", image[inside], opacity)
            count += 1
    return count


def cut_from_pictures(source: PictureSource, output: Path, *, views: int = 10) -> int:
    """Cut out labelled people of a sequence who are seen whole, and return the number of views.

    The outline is guessed from the box: what doesn't look like the border of the crop is the
    person. Crops where that fails are left out.

    Args:
        source: Pictures with boxes and identities.
        output: Folder of the cut-outs: one folder for each identity is made in it.
        views: How many views one identity gets at most, spread evenly over its sightings.
    """
    chosen = list(_choose(source, views))
    count = 0
    for picture, group in groupby(sorted(chosen, key=attrgetter("picture")), attrgetter("picture")):
        image = read_picture(picture)
        for view in group:
            cut = cut_box(image, view.box)
            if cut is not None:
                name = output / f"{source.name}-{view.identity:05d}" / f"{picture.stem}.png"
                write_cutout(name, *cut)
                count += 1
    return count


def _choose(source: PictureSource, views: int) -> Iterator[View]:
    """Yield sightings of whole people, at most `views` of each."""
    fit: dict[int, list[View]] = {}
    for index, picture in enumerate(source.pictures):
        rows = slice(source.starts[index], source.starts[index + 1])
        size = source.size or read_picture(picture).shape[1::-1]
        boxes = source.shares[rows] * np.tile(size, 2)
        for box, identity, covered in zip(
            boxes, source.identities[rows].tolist(), _covered(boxes), strict=True
        ):
            whole = _is_whole(box, (size[0], size[1])) and covered <= MOST_COVERED
            if whole and identity != UNKNOWN_IDENTITY:
                fit.setdefault(identity, []).append(View(identity, picture, box))
    for sightings in fit.values():
        places = np.linspace(0, len(sightings) - 1, min(views, len(sightings)))
        yield from (sightings[int(place)] for place in places)


def _covered(boxes: Float64[np.ndarray, "n 4"]) -> Float64[np.ndarray, " n"]:
    """Return the greatest share of each box that lies in one other box."""
    left_top = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    right_bottom = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    sides = np.maximum(right_bottom - left_top, 0)
    shared = sides[..., 0] * sides[..., 1]
    np.fill_diagonal(shared, 0)
    return shared.max(axis=1, initial=0) / np.maximum(areas(boxes), 1)


def _is_whole(box: Float64[np.ndarray, " 4"], size: tuple[int, int]) -> bool:
    width, height = box[2:] - box[:2]
    inside = box[0] > 1 and box[1] > 1 and box[2] < size[0] - 1 and box[3] < size[1] - 1
    return bool(inside and height >= LEAST_HEIGHT and SLIMMEST <= height / width <= WIDEST)


def cut_box(image: Image, box: Float64[np.ndarray, " 4"]) -> tuple[Image, Opacity] | None:
    """Return colours and opacity of the person in a box, or None if no outline is found."""
    sides = box[2:] - box[:2]
    around = np.round(np.concatenate([box[:2] - MARGIN * sides, box[2:] + MARGIN * sides]))
    left, top = (max(0, int(edge)) for edge in around[:2])
    right, bottom = (
        min(limit, int(edge)) for edge, limit in zip(around[2:], image.shape[1::-1], strict=True)
    )
    crop = np.ascontiguousarray(image[top:bottom, left:right])
    inner = box - [left, top, left, top]
    opacity = _outline(crop, inner)
    if opacity is None:
        return None
    x, y, width, height = cv2.boundingRect((opacity >= 128).view(np.uint8))  # noqa: PLR2004 (half)
    inside = slice(y, y + height), slice(x, x + width)
    return crop[inside], np.ascontiguousarray(opacity[inside])


def _outline(crop: Image, box: Float64[np.ndarray, " 4"]) -> Opacity | None:
    """Return the opacity of the person in the box of a crop, or None if it makes no person."""
    scale = min(1.0, WORKING_HEIGHT / crop.shape[0])
    size = max(8, round(crop.shape[1] * scale)), max(8, round(crop.shape[0] * scale))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    x1, y1, x2, y2 = box * scale
    guess = _first_guess(size, (x1, y1, x2, y2))
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(small, guess, None, *models, 4, cv2.GC_INIT_WITH_MASK)
    person = _largest(((guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD)).view(np.uint8))
    _, top, width, height = cv2.boundingRect(person)
    filled = person.sum() / ((x2 - x1) * (y2 - y1))
    full = height > 0.88 * (y2 - y1) and width > 0.45 * (x2 - x1)
    if not full or not 0.28 < filled < 0.8 or top > y1 + 0.08 * (y2 - y1):  # noqa: PLR2004 (as above)
        return None
    smooth = cv2.GaussianBlur(person * np.uint8(255), (0, 0), 0.9)
    return cv2.resize(smooth, crop.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def _first_guess(
    size: tuple[int, int], box: tuple[float, float, float, float]
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return what is surely or probably person, from the shape of standing people."""
    x1, y1, x2, y2 = box
    guess = np.full(size[::-1], cv2.GC_BGD, np.uint8)
    corners = (round(x1), round(y1)), (round(x2), round(y2))
    cv2.rectangle(guess, *corners, cv2.GC_PR_BGD, -1)
    wide, tall, middle = x2 - x1, y2 - y1, (x1 + x2) / 2
    body = round(middle), round(y1 + 0.5 * tall)
    cv2.ellipse(guess, body, (round(0.36 * wide), round(0.5 * tall)), 0, 0, 360, cv2.GC_PR_FGD, -1)
    # The box's upper corners lie beside the head, whoever stands in it.
    for corner in (x1, x2):
        cv2.ellipse(
            guess, (round(corner), round(y1)), (round(0.3 * wide), round(0.14 * tall)),
            0, 0, 360, cv2.GC_BGD, -1,
        )  # fmt: skip
    head, chest = (round(middle), round(y1 + 0.09 * tall)), (round(middle), round(y1 + 0.35 * tall))
    cv2.line(guess, head, chest, cv2.GC_FGD, max(1, round(0.16 * wide)))
    cv2.ellipse(guess, chest, (round(0.2 * wide), round(0.15 * tall)), 0, 0, 360, cv2.GC_FGD, -1)
    return guess


def _largest(
    person: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return the largest connected piece, holes filled."""
    outlines, _ = cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(person)
    if outlines:
        cv2.drawContours(filled, [max(outlines, key=cv2.contourArea)], -1, 1, -1)
        # Gaps between the legs stay open where they were found.
        legs = slice(int(0.55 * len(filled)), None)
        filled[legs] &= person[legs]
    return filled


def _feather(opacity: Opacity) -> Opacity:
    """Soften a hard edge by about a pixel, inwards: the rim holds colours of the old place."""
    inner = cv2.erode(opacity, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(inner, (0, 0), 0.8)
