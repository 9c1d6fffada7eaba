import numpy as np

from jde.data.sample import Sample, Source
from jde.data.scenes.source import SceneSource

SIZE = (192, 128)


def load(source: SceneSource, index: int, seed: int = 0) -> Sample:
    return source.load(index, np.random.default_rng(seed))


def test_source_fulfils_the_protocol() -> None:
    source: Source = SceneSource(0, 5, SIZE, people=4, cast_size=6)
    sample = source.load(3, np.random.default_rng(0))
    assert len(source) == 5
    assert source.identity_count == 6
    assert sample.image.shape == (128, 192, 3)


def test_picture_depends_on_the_index_alone() -> None:
    source = SceneSource(3, 10, SIZE, people=4)
    one, again, other = load(source, 2, 0), load(source, 2, 1), load(source, 3, 0)
    np.testing.assert_array_equal(one.image, again.image)
    np.testing.assert_array_equal(one.labels.boxes, again.labels.boxes)
    assert (one.image != other.image).any()


def test_fresh_source_draws_from_the_generator() -> None:
    source = SceneSource(3, 10, SIZE, people=4, fresh=True)
    np.testing.assert_array_equal(load(source, 2, 5).image, load(source, 9, 5).image)
    assert (load(source, 2, 5).image != load(source, 2, 6).image).any()


def test_identities_come_back_in_other_pictures() -> None:
    source = SceneSource(1, 12, SIZE, people=6, cast_size=8)
    found = [set(load(source, index).labels.identities.tolist()) for index in range(12)]
    seen = set.union(*found)
    assert seen <= set(range(8))
    assert len(seen) >= 7
    assert sum(map(len, found)) > 2 * len(seen)


def test_nobody_is_twice_in_one_picture() -> None:
    source = SceneSource(2, 8, SIZE, people=8, cast_size=10)
    for index in range(8):
        identities = load(source, index).labels.identities.tolist()
        assert len(identities) == len(set(identities))
