"""The numbers are section 17.4 of the specification."""

import numpy as np
import pytest

from jde.tracking import kalman
from jde.tracking.costs import Pairs, motion_distances

FIRST = np.array([[100.0], [200.0], [0.5], [80.0]])
SECOND = np.array([[102.0], [203.0], [0.52], [82.0]])


def test_new_track_is_uncertain_in_heights_of_its_box() -> None:
    motion = kalman.initiate(FIRST)
    deviations = np.sqrt(motion[[kalman.POSITION_VARIANCE, kalman.VELOCITY_VARIANCE], :, 0])
    np.testing.assert_allclose(deviations.ravel(), [8, 8, 0.01, 8, 5, 5, 1e-5, 5], rtol=1e-12)
    assert not motion[kalman.VELOCITY].any()


def test_prediction_equals_the_published_filter() -> None:
    motion = kalman.initiate(FIRST)
    kalman.predict(motion)
    np.testing.assert_array_equal(motion[kalman.POSITION], FIRST)
    np.testing.assert_allclose(
        motion[kalman.POSITION_VARIANCE, :, 0], [105, 105, 2.000001e-4, 105], rtol=1e-12
    )
    np.testing.assert_allclose(
        motion[kalman.VELOCITY_VARIANCE, :, 0], [25.25, 25.25, 2e-10, 25.25], rtol=1e-12
    )
    assert motion[kalman.COVARIANCE, 0, 0] == pytest.approx(25, rel=1e-12)


def test_gating_distance_equals_the_published_filter() -> None:
    motion = kalman.initiate(FIRST)
    kalman.predict(motion)
    measured = np.concatenate([SECOND, FIRST, [[140.0], [200.0], [0.5], [80.0]]], axis=1)
    distances = motion_distances(
        motion[kalman.POSITION],
        kalman.innovation_variance(motion[kalman.POSITION], motion[kalman.POSITION_VARIANCE]),
        measured,
        Pairs(np.zeros(3, np.int64), np.arange(3)),
    )
    np.testing.assert_allclose(distances, [0.17971155, 0, 13.2231405], atol=5e-8)


def test_correction_and_next_prediction_equal_the_published_filter() -> None:
    motion = kalman.initiate(FIRST)
    kalman.predict(motion)
    kalman.correct(motion, SECOND)
    np.testing.assert_allclose(
        motion[:2, :, 0].ravel(),
        [
            101.735537,
            202.603306,
            0.500392157,
            81.7355372,
            0.413223140,
            0.619834711,
            1.96078429e-10,
            0.413223140,
        ],
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        motion[[kalman.POSITION_VARIANCE, kalman.VELOCITY_VARIANCE], :, 0].ravel(),
        [
            13.8842975,
            13.8842975,
            1.96078527e-4,
            13.8842975,
            20.0847107,
            20.0847107,
            2e-10,
            20.0847107,
        ],
        rtol=1e-8,
    )
    assert motion[kalman.COVARIANCE, 0, 0] == pytest.approx(3.30578512, rel=1e-8)
    kalman.predict(motion)
    np.testing.assert_allclose(
        motion[kalman.POSITION, :, 0],
        [102.148760, 203.223140, 0.500392157, 82.1487603],
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        motion[[kalman.POSITION_VARIANCE, kalman.VELOCITY_VARIANCE], :, 0].ravel(),
        [
            57.2823236,
            57.2823236,
            2.96078924e-4,
            57.2823236,
            20.3456755,
            20.3456755,
            3e-10,
            20.3456755,
        ],
        rtol=1e-8,
    )


def test_prediction_over_two_frames_moves_twice_as_far_and_doubts_more() -> None:
    once, twice = kalman.initiate(FIRST), kalman.initiate(FIRST)
    for motion in (once, twice):
        motion[kalman.VELOCITY, 0] = 3
    kalman.predict(once)
    kalman.predict(twice, 2.0)
    assert twice[kalman.POSITION, 0, 0] == 106
    # 64 + 2 * 2 * 0 + 4 * 25 of the state, 2 * 16 of noise.
    assert twice[kalman.POSITION_VARIANCE, 0, 0] == pytest.approx(64 + 4 * 25 + 2 * 16)
    assert twice[kalman.COVARIANCE, 0, 0] == pytest.approx(2 * 25)


def test_float32_stays_float32() -> None:
    motion = kalman.initiate(FIRST.astype(np.float32))
    kalman.predict(motion, 1.5)
    kalman.correct(motion, SECOND.astype(np.float32))
    assert motion.dtype == kalman.corners(motion[kalman.POSITION]).dtype == np.float32


def test_box_of_a_state_has_its_centre_aspect_and_height() -> None:
    np.testing.assert_allclose(kalman.corners(FIRST)[:, 0], [80, 160, 120, 240])
