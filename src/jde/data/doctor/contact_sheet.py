"""A sheet of pictures with their labels drawn: wrong labels are seen, not computed."""

from collections.abc import Sequence

import cv2
import numpy as np

from jde.data.doctor.inspection import InspectedPicture
from jde.imaging.letterboxing import letterbox_image
from jde.imaging.picture_file import read_picture
from jde.structures.frame import Image
from jde.structures.letterbox import Size

TILE: Size = (480, 300)
CAPTION_HEIGHT = 26
CAPTION_PARTS, MAX_CAPTION = 3, 64
COLUMNS = 4
MAX_TILES = 24
UNKNOWN_COLOUR = (200, 200, 200)
FONT = cv2.FONT_HERSHEY_SIMPLEX
HUE_STEP = 67
"""Degrees of hue (of OpenCV's 180) between neighbouring identities."""


def contact_sheet(pictures: Sequence[InspectedPicture]) -> Image | None:
    """Return readable pictures of all groups, spread evenly, with boxes and identities.

    None where no picture can be read.
    """
    tiles = [_tile(picture) for picture in choose([one for one in pictures if one.size[0]])]
    if not tiles:
        return None
    missing = -len(tiles) % COLUMNS if len(tiles) > COLUMNS else 0
    tiles += [np.full_like(tiles[0], 255)] * missing
    columns = min(COLUMNS, len(tiles))
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.vstack(rows)


def choose(pictures: Sequence[InspectedPicture]) -> list[InspectedPicture]:
    """Return up to `MAX_TILES` pictures: every group in turn, with people where possible."""
    groups: dict[str, list[InspectedPicture]] = {}
    for one in pictures:
        groups.setdefault(one.group, []).append(one)
    shares = _shares([len(members) for members in groups.values()])
    chosen = []
    for members, share in zip(groups.values(), shares, strict=True):
        candidates = [one for one in members if len(one.boxes)] or members
        positions = np.linspace(0, len(candidates) - 1, min(share, len(candidates)))
        chosen += [candidates[round(position)] for position in positions.tolist()]
    return chosen


def _shares(counts: list[int]) -> list[int]:
    """Return how many tiles each group gets: one each in turn, until the sheet is full."""
    shares = [0] * len(counts)
    while sum(shares) < min(MAX_TILES, sum(counts)):
        for group, count in enumerate(counts):
            if shares[group] < count and sum(shares) < MAX_TILES:
                shares[group] += 1
    return shares


def _tile(picture: InspectedPicture) -> Image:
    image, letterbox = letterbox_image(read_picture(picture.path), TILE)
    pixels = picture.boxes * np.tile(np.array(picture.size, np.float64), 2)
    for box, identity in zip(
        letterbox.to_network(pixels), picture.identities.tolist(), strict=True
    ):
        _draw(image, [round(side) for side in box.tolist()], identity)
    caption = np.full((CAPTION_HEIGHT, TILE[0], 3), 255, np.uint8)
    where = "/".join(picture.path.parts[-CAPTION_PARTS:])
    text = f"{where}  {len(picture.boxes)} boxes"
    cv2.putText(caption, text[-MAX_CAPTION:], (6, 18), FONT, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return np.vstack([image, caption])


def _draw(image: Image, box: list[int], identity: int) -> None:
    colour = UNKNOWN_COLOUR if identity < 0 else _colour(identity)
    left, top, right, bottom = box
    cv2.rectangle(image, (left, top), (right, bottom), colour, 1)
    if identity >= 0:
        anchor = (left + 2, max(top - 3, 10))
        cv2.putText(image, str(identity), anchor, FONT, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(image, str(identity), anchor, FONT, 0.4, colour, 1, cv2.LINE_AA)


def _colour(identity: int) -> tuple[int, int, int]:
    hsv = np.array([[[identity * HUE_STEP % 180, 220, 255]]], np.uint8)
    red, green, blue = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].tolist()
    return red, green, blue
