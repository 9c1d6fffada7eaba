from functools import cache

import cv2
import numpy as np
from jaxtyping import Float32

TILE = 512
"""Side of the square of noise that all textures are cut from, in pixels."""
BANK = 1 << 21
"""Numbers of Gaussian noise kept: fresh ones cost more than the rest of a picture's finish."""
NOISE_SEED = 20
"""The square is the same in every process: a scene depends on its own seed alone."""


@cache
def noise_tile() -> Float32[np.ndarray, "tile tile"]:
    """Return noise of all scales from -1 to 1: what stone, cloth, leaves and asphalt have."""
    rng = np.random.default_rng(NOISE_SEED)
    tile = np.zeros((TILE, TILE), np.float32)
    for octave in range(2, 10):
        grid = rng.standard_normal((1 << octave, 1 << octave)).astype(np.float32)
        tile += cv2.resize(grid, (TILE, TILE), interpolation=cv2.INTER_LINEAR) * 0.8**octave
    tile /= 2.5 * tile.std()
    tile.setflags(write=False)
    return np.clip(tile, -1, 1)


@cache
def speckle_bank() -> Float32[np.ndarray, " bank"]:
    """Return unit Gaussian noise without any neighbourhood, as sensors have it."""
    bank = np.random.default_rng(NOISE_SEED).standard_normal(BANK, np.float32)
    bank.setflags(write=False)
    return bank


def speckle(
    rng: np.random.Generator, size: tuple[int, int]
) -> Float32[np.ndarray, "height width 3"]:
    """Return unit Gaussian noise for a picture of `size` (width, height)."""
    needed = size[0] * size[1] * 3
    bank = speckle_bank()
    if needed >= len(bank):
        return rng.standard_normal((size[1], size[0], 3), np.float32)
    start = int(rng.integers(len(bank) - needed))
    return bank[start : start + needed].reshape(size[1], size[0], 3)


def noise_patch(
    rng: np.random.Generator, size: tuple[int, int], zoom: float = 1.0
) -> Float32[np.ndarray, "height width"]:
    """Return a piece of noise of `size` (width, height) from -1 to 1.

    Args:
        rng: Chooses the place in the tile.
        size: Width and height in pixels.
        zoom: Magnification: above 1 the grain is coarser.
    """
    width, height = (min(TILE, max(2, round(side / zoom))) for side in size)
    left, top = (int(rng.integers(0, TILE - side + 1)) for side in (width, height))
    piece = noise_tile()[top : top + height, left : left + width]
    if piece.shape == (size[1], size[0]):
        return piece
    return cv2.resize(piece, size, interpolation=cv2.INTER_LINEAR)
