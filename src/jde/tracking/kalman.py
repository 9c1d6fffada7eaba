"""Constant-velocity filter of many boxes at once.

A box is measured as centre x, centre y, aspect (width over height) and height. All noise of the
published filter is diagonal, so the 8x8 covariance of a track is four 2x2 blocks, one for each
coordinate, and every step has a closed form: no matrix is ever factorised.

The state of n tracks is one array (5, 4, n): for each of the four coordinates its position, its
velocity, and the variance of the position, covariance of both and variance of the velocity.
"""

import numpy as np
from jaxtyping import Float

POSITION, VELOCITY, POSITION_VARIANCE, COVARIANCE, VELOCITY_VARIANCE = range(5)
ASPECT, HEIGHT = 2, 3

POSITION_DEVIATION = 1 / 20
"""Standard deviation of a position in heights of the box."""

VELOCITY_DEVIATION = 1 / 160
"""Standard deviation of a velocity in heights of the box for one frame."""

ASPECT_DEVIATION, ASPECT_VELOCITY_DEVIATION, MEASURED_ASPECT_DEVIATION = 1e-2, 1e-5, 1e-1


def initiate(measured: Float[np.ndarray, "4 n"]) -> Float[np.ndarray, "5 4 n"]:
    """Return the state of tracks that were measured once."""
    height = measured[HEIGHT]
    motion = np.zeros((5, *measured.shape), measured.dtype)
    motion[POSITION] = measured
    motion[POSITION_VARIANCE] = _variance(height, 2 * POSITION_DEVIATION, ASPECT_DEVIATION)
    motion[VELOCITY_VARIANCE] = _variance(
        height, 10 * VELOCITY_DEVIATION, ASPECT_VELOCITY_DEVIATION
    )
    return motion


def predict(motion: Float[np.ndarray, "5 4 n"], step: float = 1.0) -> None:
    """Move states on in place.

    Args:
        motion: States of tracks.
        step: Time that passed, in nominal frames; the noise added grows with it.
    """
    position, velocity, spread, shared, drift = motion
    height = position[HEIGHT]
    position_noise = _variance(height, POSITION_DEVIATION, ASPECT_DEVIATION)
    velocity_noise = _variance(height, VELOCITY_DEVIATION, ASPECT_VELOCITY_DEVIATION)
    if step != 1.0:
        position_noise *= step
        velocity_noise *= step
    position += step * velocity
    spread += step * shared
    shared += step * drift
    spread += step * shared
    spread += position_noise
    drift += velocity_noise


def innovation_variance(
    position: Float[np.ndarray, "4 n"], spread: Float[np.ndarray, "4 n"]
) -> Float[np.ndarray, "4 n"]:
    """Return the variance of a measurement around each predicted position."""
    noise = _variance(position[HEIGHT], POSITION_DEVIATION, MEASURED_ASPECT_DEVIATION)
    return np.add(noise, spread, out=noise)


def correct(motion: Float[np.ndarray, "5 4 n"], measured: Float[np.ndarray, "4 n"]) -> None:
    """Bring one measurement into each state, in place."""
    position, velocity, spread, shared, drift = motion
    innovation = measured - position
    variance = innovation_variance(position, spread)
    gain, velocity_gain = spread / variance, shared / variance
    position += gain * innovation
    velocity += velocity_gain * innovation
    drift -= velocity_gain * shared
    shared -= gain * shared
    spread -= gain * spread


def corners(position: Float[np.ndarray, "4 n"]) -> Float[np.ndarray, "4 n"]:
    """Return left, top, right and bottom of each box."""
    height = position[HEIGHT]
    width = position[ASPECT] * height
    boxes = np.empty_like(position)
    np.subtract(position[0], width / 2, out=boxes[0])
    np.subtract(position[1], height / 2, out=boxes[1])
    np.add(boxes[0], width, out=boxes[2])
    np.add(boxes[1], height, out=boxes[3])
    return boxes


def _variance(
    height: Float[np.ndarray, " n"], deviation: float, aspect_deviation: float
) -> Float[np.ndarray, "4 n"]:
    variance = np.empty((4, len(height)), height.dtype)
    np.multiply(deviation, height, out=variance[0])
    variance[0] *= variance[0]
    variance[1] = variance[HEIGHT] = variance[0]
    variance[ASPECT] = aspect_deviation**2
    return variance
