import numpy as np
import pytest

from jde.structures.detections import Detections
from jde.structures.errors import InputError
from jde.tracking.observation import Observation, observe
from jde.tracking.scratch import Scratch


def one(box: list[float], score: float = 0.9, embedding: list[float] | None = None) -> Detections:
    good = [10.0, 20, 30, 60]
    return Detections(
        np.array([good, box], np.float32),
        np.array([0.9, score], np.float32),
        np.array([[3, 4], embedding or [0.0, 1.0]], np.float32),
    )


def look(detections: Detections) -> Observation:
    return observe(detections, embedding_dim=None, precision="float64", scratch=Scratch())


def test_box_becomes_centre_aspect_and_height() -> None:
    observation = look(one([0, 0, 2, 8]))
    np.testing.assert_array_equal(observation.measured.T, [[20, 40, 0.5, 40], [1, 4, 0.25, 8]])
    np.testing.assert_array_equal(observation.corners.T, [[10, 20, 30, 60], [0, 0, 2, 8]])


def test_embeddings_are_scaled_to_unit_length() -> None:
    np.testing.assert_allclose(look(one([0, 0, 2, 8])).embeddings, [[0.6, 0.8], [0.0, 1.0]])


def test_embedding_of_zeros_stays_and_resembles_nobody() -> None:
    zeros = Detections(
        np.array([[0, 0, 2, 8]], np.float32), np.ones(1, np.float32), np.zeros((1, 3), np.float32)
    )
    assert not look(zeros).embeddings.any()


def test_box_without_area_is_left_out() -> None:
    assert len(look(one([5, 5, 5, 9]))) == len(look(one([5, 5, 9, 5]))) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_value_that_is_not_finite_is_refused_with_its_row(value: float) -> None:
    with pytest.raises(InputError, match=r"detection 1 .*not finite"):
        look(one([0, value, 2, 8]))
    with pytest.raises(InputError, match=r"detection 1 .*score"):
        look(one([0, 0, 2, 8], score=value))
    with pytest.raises(InputError, match="embedding of detection 1"):
        look(one([0, 0, 2, 8], embedding=[value, 0]))


def test_left_top_width_and_height_instead_of_corners_is_refused_with_the_mend() -> None:
    with pytest.raises(InputError, match=r"detection 1 .*ends before it begins.*corners"):
        look(one([500, 200, 40, 100]))
