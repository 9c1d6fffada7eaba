"""Paints what stands still behind the people: sky, houses, trees, ground."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from jde.data.scenes.camera import Camera
from jde.data.scenes.chance import happens
from jde.data.scenes.noise import noise_patch, noise_tile
from jde.structures.frame import Image

NEUTRAL = 100
"""Grey of a ground texture that leaves the ground's colour as it is."""


def paint_backdrop(rng: np.random.Generator, camera: Camera, margin: tuple[int, int]) -> Image:
    """Return a background with `margin` columns and rows more on every side than the picture."""
    width, height = (side + 2 * extra for side, extra in zip(camera.size, margin, strict=True))
    horizon = round(camera.horizon + margin[1])
    canvas = _sky(rng, (width, height))
    if horizon > 0:
        kind = rng.random()
        if kind < 0.75:  # noqa: PLR2004 (share of places with houses)
            _houses(rng, canvas, horizon)
        if kind > 0.35:  # noqa: PLR2004 (share of places with trees)
            _trees(rng, canvas, horizon)
    _ground(rng, canvas, camera, horizon)
    if happens(rng, 0.25):  # share of places full of signs, screens and shapes
        _clutter(rng, canvas)
    grain = noise_patch(rng, (width, height), rng.uniform(0.6, 3)) * rng.uniform(2, 16)
    return cv2.add(canvas, cv2.merge([grain.astype(np.int8)] * 3), dtype=cv2.CV_8U)


def _tone(
    rng: np.random.Generator, low: float, high: float, tint: float = 12.0
) -> Float32[np.ndarray, " 3"]:
    return np.clip(rng.uniform(low, high) + rng.normal(0, tint, 3), 0, 255).astype(np.float32)


def _sky(rng: np.random.Generator, size: tuple[int, int]) -> Image:
    top = _tone(rng, 90.0, 240.0) + np.array([-15, 0, 10], np.float32) * rng.random()
    ramp = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    column = np.clip(top * (1 - ramp) + _tone(rng, 130.0, 245.0) * ramp, 0, 255).astype(np.uint8)
    return cv2.resize(column[:, None], size, interpolation=cv2.INTER_NEAREST)


def _houses(rng: np.random.Generator, canvas: Image, horizon: int) -> None:
    height, width = canvas.shape[:2]
    left = -int(rng.integers(0, width // 4 + 1))
    while left < width:
        right = left + int(rng.integers(width // 10 + 4, width // 2 + 8))
        top = horizon - int(rng.uniform(0.1, 1.2) * max(horizon, 20))
        base = min(height, horizon + int(rng.uniform(0, 0.12) * height))
        if happens(rng, 0.85):  # the rest are gaps between houses
            _house(rng, canvas[max(0, top) : base, max(0, left) : min(width, right)])
        left = right + int(rng.integers(0, 6))


def _house(rng: np.random.Generator, wall: Image) -> None:
    if wall.shape[0] < 4 or wall.shape[1] < 4:  # noqa: PLR2004 (pixels)
        return
    wall[:] = _tone(rng, 50.0, 210.0, 22.0)
    rows, columns = (int(rng.integers(10, 46)) for _ in range(2))
    glass = rng.uniform(0.3, 0.75, 2)
    start = rng.integers(0, 20, 2)
    down = ((np.arange(wall.shape[0]) + start[0]) % rows) < rows * glass[0]
    across = ((np.arange(wall.shape[1]) + start[1]) % columns) < columns * glass[1]
    pane = down[:, None] & across[None]
    wall[pane] = _tone(rng, 20.0, 200.0)
    if happens(rng, 0.5):  # share of walls with lit or curtained windows
        some = np.arange(wall.shape[1]) // columns % int(rng.integers(2, 5)) == 0
        wall[pane & some[None]] = _tone(rng, 60.0, 240.0, 30.0)
    if happens(rng, 0.4):  # share of houses with shops
        shop = wall[-max(2, wall.shape[0] // 4) :]
        shop[:] = _tone(rng, 20.0, 200.0, 40.0)
        shop[:, :: max(6, columns)] = _tone(rng, 20.0, 120.0)


def _trees(rng: np.random.Generator, canvas: Image, horizon: int) -> None:
    height, width = canvas.shape[:2]
    leaves = np.array([rng.uniform(30, 110), rng.uniform(60, 130), rng.uniform(20, 70)])
    for _ in range(int(rng.integers(2, 9))):
        x, radius = int(rng.integers(width)), int(rng.uniform(0.06, 0.3) * height)
        y = horizon - int(rng.uniform(0.1, 0.5) * height)
        trunk = max(1, radius // 9)
        cv2.rectangle(canvas, (x - trunk, y), (x + trunk, horizon + 4), (60, 48, 38), -1)
        left, top = max(0, x - radius), max(0, y - radius)
        patch = canvas[top : max(0, y + radius), left : max(0, x + radius)]
        if not patch.size:
            continue
        rows, columns = np.ogrid[top : top + patch.shape[0], left : left + patch.shape[1]]
        rough = noise_patch(rng, (patch.shape[1], patch.shape[0]), radius / 60)
        inside = ((rows - y) ** 2 + (columns - x) ** 2) / radius**2 < 0.7 + 0.5 * rough
        gain = 0.75 + 0.5 * rough[inside][:, None] + rng.normal(0, 0.08)
        patch[inside] = np.clip(leaves * gain, 0, 255).astype(np.uint8)


def _ground(rng: np.random.Generator, canvas: Image, camera: Camera, horizon: int) -> None:
    """Lay stone, asphalt or grass that grows finer towards the horizon."""
    height, width = canvas.shape[:2]
    top = max(0, horizon + int(rng.uniform(0.01, 0.06) * height) + 3)
    if top >= height:
        return
    colour = _tone(rng, 60.0, 190.0, 9.0)
    if happens(rng, 0.2):  # share of meadows
        colour = np.array([80, 110, 60], np.float32) * np.float32(rng.uniform(0.6, 1.5))
    near = max(1.0, height - horizon)
    away = camera.focal * camera.height / near
    # Corners of the ground at the lower edge and three times as far, in tiles of the texture.
    tile = rng.uniform(20, 90)
    reach = near / 3
    picture = np.array(
        [(0, height), (width, height), (width, horizon + reach), (0, horizon + reach)], np.float32
    )
    half = width / 2 / camera.focal
    metres = np.array(
        [(-half * away, away), (half * away, away), (half * 3 * away, 3 * away),
         (-half * 3 * away, 3 * away)]
    )  # fmt: skip
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    texture = _paving(rng)
    plan = (metres @ turn.T * tile + len(texture) / 2).astype(np.float32)
    # Only rows below the horizon have a place on the ground.
    picture[:, 1] -= top
    warped = cv2.warpPerspective(
        texture, cv2.getPerspectiveTransform(plan, picture), (width, height - top),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
    )  # fmt: skip
    canvas[max(0, horizon) : top] = colour
    # Far detail is finer than a pixel: it averages out.
    detail = np.clip((np.arange(top, height) - horizon) / (0.35 * near), 0, 1).astype(np.float32)
    shown = (NEUTRAL + (warped - np.float32(NEUTRAL)) * detail[:, None]).astype(np.uint8)
    tones = np.clip(np.arange(256)[:, None] / NEUTRAL * colour, 0, 255).astype(np.uint8)
    canvas[top:] = cv2.LUT(cv2.merge([shown] * 3), tones[None])


def _paving(rng: np.random.Generator) -> UInt8[np.ndarray, "tile tile"]:
    """Return the lightness of the ground from above."""
    texture = noise_tile() * np.float32(rng.uniform(0.05, 0.3))
    if happens(rng, 0.6):  # share of paved ground
        rows, columns = (int(rng.choice([16, 32, 64, 128])) for _ in range(2))
        joint = np.float32(rng.uniform(-0.3, 0.2))
        texture[::rows] += joint
        texture[1::rows] += joint
        texture[:, ::columns] += joint
        texture[:, 1::columns] += joint
        shape = len(texture) // rows, len(texture) // columns
        slabs = rng.normal(0, rng.uniform(0, 0.12), shape).astype(np.float32)
        texture += slabs.repeat(rows, axis=0).repeat(columns, axis=1)
    if happens(rng, 0.3):  # share of ground with painted lines
        line = int(rng.integers(0, 480))
        texture[line : line + int(rng.integers(4, 30))] += np.float32(rng.uniform(0.2, 0.8))
    return np.clip(NEUTRAL * (1 + texture), 0, 255).astype(np.uint8)


def _clutter(rng: np.random.Generator, canvas: Image) -> None:
    """Scatter shapes that nobody should take for people."""
    height, width = canvas.shape[:2]
    for _ in range(int(rng.integers(4, 25))):
        colour = _tone(rng, 10.0, 240.0, 40.0).tolist()
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = (int(rng.exponential(0.07) * height) + 2 for _ in range(2))
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(canvas, (x, y), (x + w, y + h), colour, -1)
        elif kind == 1:
            cv2.ellipse(canvas, (x, y), (w, h), float(rng.uniform(0, 180)), 0, 360, colour, -1)
        elif kind == 2:  # noqa: PLR2004 (third kind)
            end = int(rng.integers(width)), int(rng.integers(height))
            cv2.line(canvas, (x, y), end, colour, int(rng.integers(1, 5)))
        else:
            corners = np.array([x, y]) + rng.integers(-w - h, w + h, (5, 2))
            cv2.fillPoly(canvas, [corners.astype(np.int32)], colour)
