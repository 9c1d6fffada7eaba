"""Pictures with a mask beside them that gives each person a number, as Penn-Fudan has it."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from scipy.ndimage import find_objects

from jde.data.picture_source import Annotation, PictureSource
from jde.data.sample import UNKNOWN_IDENTITY
from jde.imaging.picture_file import list_pictures
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

PICTURE_FOLDER, MASK_FOLDER = "images", "masks"


def mask_source(folder: Path, *, name: str = "", network: Size | None = None) -> PictureSource:
    """Return the pictures in `images` with a box around each person of `masks`.

    The people have no identities: each picture shows others.

    Raises:
        InputError: A folder or a mask is missing or unreadable.
    """
    return PictureSource.of(name or folder.name, _annotations(folder), network=network)


def mask_boxes(mask: UInt8[np.ndarray, "height width"]) -> Float64[np.ndarray, "n 4"]:
    """Return corner boxes around each number in `mask` but 0, in ascending order of the numbers."""
    regions = [region for region in find_objects(mask) if region is not None]
    corners = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in regions]
    return np.array(corners, np.float64).reshape(-1, 4)


def _annotations(folder: Path) -> Iterator[Annotation]:
    pictures, masks = folder / PICTURE_FOLDER, folder / MASK_FOLDER
    if not pictures.is_dir() or not masks.is_dir():
        raise InputError(f"{folder}: must hold the folders {PICTURE_FOLDER} and {MASK_FOLDER}")
    by_name = {path.stem.removesuffix("_mask"): path for path in list_pictures(masks)}
    for picture in list_pictures(pictures):
        if picture.stem not in by_name:
            raise InputError(f"{picture}: has no mask in {masks}")
        mask = cv2.imread(str(by_name[picture.stem]), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise InputError(f"{by_name[picture.stem]}: is no picture or is damaged; replace it")
        height, width = mask.shape
        shares = mask_boxes(mask) / np.array([width, height, width, height])
        yield Annotation(picture, shares, np.full(len(shares), UNKNOWN_IDENTITY, np.int64))
