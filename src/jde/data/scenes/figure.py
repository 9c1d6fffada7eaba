"""Paints one person as a sprite."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from jde.data.scenes.appearance import Appearance, Colour
from jde.data.scenes.noise import noise_patch
from jde.data.scenes.skeleton import Point, Pose, joints
from jde.data.scenes.sprite import Sprite

AREA = cv2.INTER_AREA
SUBPIXEL_BITS = 4
CORNERS = np.linspace(0, 2 * np.pi, 12, endpoint=False)
ROUND: Float64[np.ndarray, "12 2"] = np.stack([np.cos(CORNERS), np.sin(CORNERS)], axis=1)
"""Corners of the discs whose hulls are the parts of a body."""


class Part(NamedTuple):
    """A rounded piece of the body: the hull of discs around joints."""

    points: list[Point]
    radii: list[float]
    colour: Colour
    patterned: bool = False
    nearer: float = 0.0

    @property
    def depth(self) -> float:
        """Metres towards the viewer."""
        return sum(float(point[2]) for point in self.points) / len(self.points)


class Place(NamedTuple):
    """Where a person stands in the picture."""

    x: float
    y: float
    scale: float
    """Pixels for one metre."""


def paint_person(appearance: Appearance, pose: Pose, place: Place, light: float = 0.0) -> Sprite:
    """Return a person as seen in the picture.

    Args:
        appearance: Who it is.
        pose: How the body is held.
        place: Where the point between the feet lies, and the scale there.
        light: Side the light comes from: -1 left, 1 right, 0 all round.
    """
    parts = sorted(
        _parts(appearance, joints(appearance, pose)),
        key=lambda part: part.depth + part.nearer,
    )
    fine = 4 if place.scale * appearance.height < 90 else 2  # noqa: PLR2004 (pixels)
    hulls = [_hull(part) * (place.scale * fine) for part in parts]
    outline = np.concatenate(hulls)
    left, top = (int(np.floor(edge)) - 1 for edge in (outline.min(0) / fine + place[:2]))
    right, bottom = (int(np.ceil(edge)) + 1 for edge in (outline.max(0) / fine + place[:2]))
    origin = (np.array(place[:2]) - [left, top]) * fine
    ids = np.zeros(((bottom - top) * fine, (right - left) * fine), np.uint8)
    for number, hull in enumerate(hulls, start=1):
        corners = np.round((hull + origin - 0.5) * (1 << SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillConvexPoly(ids, corners, number, cv2.LINE_8, SUBPIXEL_BITS)
    colours = _colour(ids, parts, appearance, place.scale * fine)
    size = right - left, bottom - top
    opacity = cv2.resize((ids > 0).view(np.uint8) * np.uint8(255), size, interpolation=AREA)
    # The mean of a cell at the rim holds the empty colour, too: divide by what is covered.
    share = np.maximum(opacity, 1).astype(np.float32) / 255
    gain = _shade(opacity, appearance, light) / share
    painted = cv2.resize(colours, size, interpolation=AREA) * gain[..., None]
    return Sprite(np.clip(painted, 0, 255).astype(np.uint8), opacity, left, top)


def _hull(part: Part) -> Float64[np.ndarray, "corners 2"]:
    """Return the outline in metres, right and down."""
    centres = np.array(part.points)[:, :2] * [1, -1]
    discs = centres[:, None] + ROUND * np.array(part.radii)[:, None, None]
    hull = cv2.convexHull(discs.reshape(-1, 2).astype(np.float32))
    return hull[:, 0].astype(np.float64)


def _colour(
    ids: UInt8[np.ndarray, "h w"], parts: list[Part], appearance: Appearance, scale: float
) -> UInt8[np.ndarray, "h w 3"]:
    """Return the flat colours of all parts, with the pattern of the upper garment."""
    palette = np.zeros((256, 3), np.uint8)
    depth = np.array([part.depth for part in parts])
    shade = 1 + 0.5 * (depth - depth.max())  # far limbs lie in the shadow of near ones
    for number, part in enumerate(parts, start=1):
        palette[number] = np.array(part.colour) * np.clip(shade[number - 1], 0.62, 1)
    colours = palette.take(ids, axis=0)
    if appearance.pattern != "plain":
        patterned = np.zeros(256, bool)
        patterned[1 : len(parts) + 1] = [part.patterned for part in parts]
        where = patterned.take(ids) & _pattern(ids.shape, appearance, scale)
        colours[where] = appearance.second
    return colours


def _pattern(
    shape: tuple[int, ...], appearance: Appearance, scale: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return where the second colour of the garment goes."""
    period = 0.11 * appearance.pattern_scale * scale
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    columns = np.arange(shape[1], dtype=np.float32)[None, :]
    across, down = columns - shape[1] / 2, rows - shape[0] * 0.3
    if appearance.pattern == "hoops":
        return np.broadcast_to(down % period < period / 2, shape)
    if appearance.pattern == "stripes":
        return np.broadcast_to(across % period < period / 3, shape)
    if appearance.pattern == "checks":
        return (down % period < period / 3) | (across % period < period / 3)
    if appearance.pattern == "halves":
        return np.broadcast_to(down > 0, shape)
    return across**2 + down**2 < (1.2 * period) ** 2


def _shade(
    opacity: UInt8[np.ndarray, "h w"], appearance: Appearance, light: float
) -> Float32[np.ndarray, "h w"]:
    """Return the light on the body, rounded by its side, and on the folds of the cloth."""
    height, width = opacity.shape
    reach = max(3, height // 24) | 1
    soft = cv2.blur(opacity, (reach, reach)).astype(np.float32) / 255
    slope = cv2.filter2D(soft, -1, np.array([[1, 0, -1]], np.float32))
    folds = noise_patch(np.random.default_rng(appearance.cloth), (width, height), height / 220)
    gain = 0.72 + 0.28 * soft + slope * np.float32(reach * 0.35 * light) + 0.13 * folds
    return np.maximum(gain, 0)


def _parts(look: Appearance, at: dict[str, Point]) -> Iterator[Part]:
    yield from _leg_parts(look, at)
    yield from _trunk_parts(look, at)
    yield from _head_parts(look, at)
    yield from _arm_parts(look, at)
    yield from _bag_parts(look, at)


def _leg_parts(look: Appearance, at: dict[str, Point]) -> Iterator[Part]:
    wide = look.build * look.height
    shin = look.bottom if look.legwear == "trousers" else look.skin
    thigh = look.bottom if look.legwear != "skirt" else look.skin
    for side in "01":
        hip, knee, ankle = at[f"hip{side}"], at[f"knee{side}"], at[f"ankle{side}"]
        yield Part([ankle, at[f"toe{side}"]], [0.024 * wide, 0.016 * wide], look.shoes)
        loose = 1.25 if look.legwear == "trousers" else 1.0
        yield Part([knee, ankle], [0.034 * wide, 0.021 * wide * loose], shin)
        yield Part([hip, knee], [0.054 * wide, 0.037 * wide], thigh)
    hips = [at["hip0"], at["hip1"]]
    yield Part(hips, [0.058 * wide] * 2, look.bottom)
    if look.legwear == "skirt":
        knees = [hip + 0.9 * (at[f"knee{side}"] - hip) for side, hip in enumerate(hips)]
        yield Part(hips + knees, [0.056 * wide] * 4, look.bottom, nearer=0.08)


def _trunk_parts(look: Appearance, at: dict[str, Point]) -> Iterator[Part]:
    wide = look.build * look.height
    shoulders, hips = [at["shoulder0"], at["shoulder1"]], [at["hip0"], at["hip1"]]
    waist = [(a + 2 * b) / 3 for a, b in zip(shoulders, hips, strict=True)]
    hem = [h + look.coat * (at[f"knee{i}"] - h) for i, h in enumerate(hips)]
    points, radii = shoulders + waist, [0.045 * wide] * 2 + [0.062 * wide] * 2
    yield Part(points, radii, look.top, patterned=True, nearer=0.01)
    yield Part(waist + hem, [0.06 * wide] * 4, look.top, patterned=True, nearer=0.09)
    yield Part([at["neck"], at["head"]], [0.03 * wide, 0.025 * wide], look.skin, nearer=-0.005)


def _head_parts(look: Appearance, at: dict[str, Point]) -> Iterator[Part]:
    tall = look.height
    chin = at["face"] + (at["neck"] - at["head"]) * 0.25
    yield Part([at["face"], chin], [0.05 * tall, 0.036 * tall], look.skin)
    if look.hair != "none":
        yield Part([at["crown"]], [0.062 * tall], look.hair_colour)
    if look.hair == "long":
        end = at["nape"] + (at["neck"] - at["head"]) * 0.9
        points = [at["crown"], at["nape"], end]
        yield Part(points, [0.06 * tall, 0.058 * tall, 0.05 * tall], look.hair_colour)
    if look.hair == "tied":
        end = at["nape"] + (at["neck"] - at["head"]) * 0.5
        yield Part([at["nape"], end], [0.022 * tall, 0.014 * tall], look.hair_colour)
    if look.hat != "none":
        crown = at["crown"] + [0, 0.022 * tall, 0]
        yield Part([crown], [0.064 * tall], look.bag_colour, nearer=0.03)
    if look.hat == "cap":
        yield Part([at["crown"], at["brim"]], [0.03 * tall, 0.018 * tall], look.bag_colour)


def _arm_parts(look: Appearance, at: dict[str, Point]) -> Iterator[Part]:
    wide = look.build * look.height
    lower = look.top if look.sleeves else look.skin
    for side in "01":
        shoulder, elbow, hand = at[f"shoulder{side}"], at[f"elbow{side}"], at[f"hand{side}"]
        yield Part([hand], [0.023 * wide], look.skin, nearer=0.015)
        yield Part([elbow, hand], [0.03 * wide, 0.021 * wide], lower, look.sleeves, 0.012)
        yield Part([shoulder, elbow], [0.043 * wide, 0.032 * wide], look.top, patterned=True)


def _bag_parts(look: Appearance, at: dict[str, Point]) -> Iterator[Part]:
    tall, colour = look.height, look.bag_colour
    back = at["back"]
    if look.bag == "backpack":
        top = back + np.array([0, 0.11 * tall, 0])
        yield Part([back, top], [0.075 * tall, 0.06 * tall], colour, nearer=0.02)
    elif look.bag == "handbag":
        low = at["hand0"] - [0, 0.09 * tall, 0]
        yield Part([at["hand0"], low], [0.01 * tall, 0.055 * tall], colour, nearer=0.02)
    elif look.bag == "suitcase":
        behind = (back - at["neck"]) * [2.2, 0, 1] + at["hand1"] * [0.6, 0, 1]
        low, high = (behind + np.array([0, rise * tall, 0]) for rise in (0.06, 0.3))
        yield Part([low, high], [0.075 * tall] * 2, colour)
