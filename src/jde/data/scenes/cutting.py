"""Cuts people out of labelled pictures."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from jde.data.mask_source import MASK_FOLDER, PICTURE_FOLDER
from jde.data.picture_source import PictureSource
from jde.data.sample import UNKNOWN_IDENTITY
from jde.data.scenes.appearance import Appearance
from jde.data.scenes.cutouts import Opacity, write_cutout
from jde.data.scenes.figure import Place, paint_person
from jde.data.scenes.skeleton import Pose
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
WORKING_HEIGHT = 160
"""Rows at which a crop is parted into person and background."""
MARGIN = 0.12
"""What is looked at around a box to learn the background, in parts of its sides."""

WALKERS = 80
"""Drawn people whose mean is the first guess of an outline."""
NEVER, LIKELY, ALWAYS = 0.04, 0.22, 0.9
"""How often drawn people cover what is first taken for perhaps, probably and surely person."""


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


def cut_from_pictures(source: PictureSource, output: Path, *, sightings: int = 16) -> int:
    """Cut out labelled people of a sequence who are seen whole, and return the number of views.

    The outline is guessed from the box: what doesn't look like the border of the crop is the
    person. Crops where that fails are left out.

    Args:
        source: Pictures with boxes and named identities.
        output: Folder of the cut-outs: one folder for each identity is made in it, by its name.
        sightings: How many sightings of one identity are tried, spread evenly over all.
    """
    chosen = list(_choose(source, sightings))
    count = 0
    for picture, group in groupby(sorted(chosen, key=attrgetter("picture")), attrgetter("picture")):
        image = read_picture(picture)
        for view in group:
            cut = cut_box(image, view.box)
            if cut is not None:
                person = source.identity_names[view.identity]
                write_cutout(output / person / f"{picture.stem}.png", *cut)
                count += 1
    return count


def _choose(source: PictureSource, most: int) -> Iterator[View]:
    """Yield sightings of whole people, at most `most` of each."""
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
    for views in fit.values():
        places = np.linspace(0, len(views) - 1, min(most, len(views)))
        yield from (views[int(place)] for place in places)


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
    person = segment(crop, box)
    if not _is_plausible(person, box * (person.shape[0] / crop.shape[0])):
        return None
    smooth = cv2.GaussianBlur(person * np.uint8(255), (0, 0), 0.9)
    return cv2.resize(smooth, crop.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def segment(crop: Image, box: Float64[np.ndarray, " 4"]) -> Opacity:
    """Return 1 where the person in the box of a crop probably is, else 0, at a smaller size."""
    scale = WORKING_HEIGHT / crop.shape[0]
    size = max(8, round(crop.shape[1] * scale)), max(8, round(crop.shape[0] * scale))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    x1, y1, x2, y2 = box * scale
    guess = _first_guess(size, (x1, y1, x2, y2))
    # Trousers differ from jackets: each half of the body has its own colours.
    waist, overlap = round((y1 + y2) / 2), round(0.12 * (y2 - y1))
    person = np.zeros(small.shape[:2], np.uint8)
    person[:waist] = _part(small[: waist + overlap], guess[: waist + overlap])[:waist]
    person[waist:] = _part(small[waist - overlap :], guess[waist - overlap :])[overlap:]
    return _largest(person)


def _part(picture: Image, guess: Opacity) -> Opacity:
    """Return 1 where colours say that a guess of person and background holds person."""
    found, models = guess.copy(), (np.zeros((1, 65)), np.zeros((1, 65)))
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, found, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    return ((found == cv2.GC_FGD) | (found == cv2.GC_PR_FGD)).view(np.uint8)


def _is_plausible(person: Opacity, box: Float64[np.ndarray, " 4"]) -> bool:
    """Return whether a shape fills its box as people do."""
    x1, y1, x2, y2 = box
    _, top, width, height = cv2.boundingRect(person)
    filled = person.sum() / ((x2 - x1) * (y2 - y1))
    whole = height > 0.85 * (y2 - y1) and top < y1 + 0.09 * (y2 - y1)
    return bool(whole and width > 0.4 * (x2 - x1) and 0.25 < filled < 0.82)  # noqa: PLR2004 (as above)


def _first_guess(
    size: tuple[int, int], box: tuple[float, float, float, float]
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return what is surely or probably person, from the shape of walking people."""
    left, top, right, bottom = (round(edge) for edge in box)
    shape = cv2.resize(usual_shape(), (right - left, bottom - top))
    guess = np.full((size[1] + 2, size[0] + 2), cv2.GC_BGD, np.uint8)
    inside = guess[top : top + len(shape), left : left + shape.shape[1]]
    shape = shape[: inside.shape[0], : inside.shape[1]]
    inside[shape > NEVER] = cv2.GC_PR_BGD
    inside[shape > LIKELY] = cv2.GC_PR_FGD
    inside[shape > ALWAYS] = cv2.GC_FGD
    return np.ascontiguousarray(guess[: size[1], : size[0]])


@cache
def usual_shape() -> Float32[np.ndarray, "height width"]:
    """Return how often each place of a person's box is person, learnt from drawn walkers."""
    rng = np.random.default_rng(0)
    total = np.zeros((WORKING_HEIGHT, WORKING_HEIGHT // 2), np.float32)
    for _ in range(WALKERS):
        pose = Pose(
            phase=rng.uniform(0, 2 * np.pi),
            swing=rng.uniform(0.1, 0.45),
            heading=rng.uniform(0, 2 * np.pi),
            elevation=rng.uniform(0, 0.3),
        )
        look = replace(Appearance.draw(rng), bag="none")
        drawn = paint_person(look, pose, Place(100.0, 200.0, 80.0))
        left, top, width, height = cv2.boundingRect((drawn.opacity > 0).view(np.uint8))
        cut = drawn.opacity[top : top + height, left : left + width]
        total += cv2.resize(cut, total.shape[::-1], interpolation=cv2.INTER_AREA)
    return total / (255 * WALKERS)


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
