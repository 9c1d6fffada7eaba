import numpy as np
import pytest

from jde.data.doctor.anchor_fit import fit_of, shape_overlaps, suggest_anchors


def test_overlap_of_centred_shapes() -> None:
    sizes = np.array([[10.0, 20.0], [20.0, 10.0]])
    np.testing.assert_allclose(
        shape_overlaps(sizes, np.array([[10.0, 20.0], [10.0, 10.0]])),
        [[1, 0.5], [100 / 300, 0.5]],
    )


def test_fit_counts_matches_and_the_share_of_each_anchor() -> None:
    sizes = np.array([[10.0, 20.0], [10.0, 10.0], [1.0, 1.0], [40.0, 80.0]])
    fit = fit_of(np.array([[10.0, 20.0], [40.0, 80.0]]), sizes)
    assert fit.mean_overlap == pytest.approx((1 + 0.5 + 1 / 200 + 1) / 4)
    assert fit.matched == 0.75
    np.testing.assert_allclose(fit.shares, [0.75, 0.25])


def test_k_means_finds_the_shapes_that_are_there() -> None:
    rng = np.random.default_rng(3)
    shapes = np.array([[200.0, 400.0], [60.0, 150.0], [10.0, 25.0]])
    sizes = np.repeat(shapes, 200, axis=0) * rng.uniform(0.95, 1.05, (600, 2))
    suggestion = suggest_anchors(sizes, 3)
    np.testing.assert_allclose(suggestion, shapes, rtol=0.02)
    np.testing.assert_array_equal(suggestion, suggest_anchors(sizes, 3))


def test_k_means_beats_random_anchors_on_spread_sizes() -> None:
    rng = np.random.default_rng(1)
    heights = rng.lognormal(4, 0.7, 800)
    sizes = np.stack([heights * rng.uniform(0.3, 0.6, 800), heights], axis=1)
    chosen = sizes[rng.choice(800, 12, replace=False)]
    suggestion = fit_of(suggest_anchors(sizes, 12), sizes)
    assert suggestion.mean_overlap > fit_of(chosen, sizes).mean_overlap


def test_fewer_shapes_than_anchors_give_fewer_anchors() -> None:
    suggestion = suggest_anchors(np.repeat([[10.0, 20.0], [30.0, 60.0]], 5, axis=0), 12)
    np.testing.assert_array_equal(suggestion, [[30, 60], [10, 20]])
