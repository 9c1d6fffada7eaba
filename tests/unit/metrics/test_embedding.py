import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jde.metrics.embedding import FALSE_ACCEPT_RATES, verification_rates
from jde.structures.errors import InputError


def literal_rates(embeddings: np.ndarray, identities: np.ndarray) -> dict[float, float]:
    """The published test in a few lines: all pairs, all thresholds, linear interpolation."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    rows, columns = np.triu_indices(len(unit), k=1)
    similarities = (unit @ unit.T)[rows, columns]
    same = (identities[rows] == identities[columns])[similarities != 0]
    similarities = similarities[similarities != 0]
    thresholds = np.unique(similarities)[::-1]
    false = [0.0, *((similarities[~same] >= one).mean() for one in thresholds)]
    true = [0.0, *((similarities[same] >= one).mean() for one in thresholds)]
    rates = {}
    for wanted in FALSE_ACCEPT_RATES:
        last = max(index for index, rate in enumerate(false) if rate <= wanted)
        if last + 1 == len(false):
            rates[wanted] = true[last]
            continue
        share = (wanted - false[last]) / (false[last + 1] - false[last])
        rates[wanted] = true[last] + share * (true[last + 1] - true[last])
    return rates


def cloud(people: int, views: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 16))
    embeddings = np.repeat(centres, views, axis=0) + noise * rng.normal(size=(people * views, 16))
    return embeddings.astype(np.float32), np.repeat(np.arange(people), views)


@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_rates_equal_the_literal_computation(noise: float) -> None:
    embeddings, identities = cloud(24, 4, noise)
    found = verification_rates(embeddings, identities)
    assert found.rates == pytest.approx(literal_rates(embeddings, identities), abs=1e-12)
    assert (found.embeddings, found.same) == (96, 24 * 6)
    assert found.same + found.different == 96 * 95 // 2


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 255)), min_size=6, max_size=40))
@settings(max_examples=40, deadline=None)
def test_ties_and_dropped_zeros_equal_the_literal_computation(
    people: list[tuple[int, int]],
) -> None:
    identities = np.array([identity for identity, _ in people])
    # Signs in 16 places: similarities are sixteenths, exact and mostly tied.
    codes = np.array([code for _, code in people])
    signs = np.where(codes[:, None] >> np.arange(16) & 1, 1.0, -1.0).astype(np.float32)
    expected_pairs = signs @ signs.T
    rows, columns = np.triu_indices(len(signs), k=1)
    used = expected_pairs[rows, columns] != 0
    is_same = (identities[rows] == identities[columns])[used]
    if not is_same.any() or is_same.all():
        with pytest.raises(InputError, match="two embeddings of one identity and two identities"):
            verification_rates(signs, identities)
        return
    found = verification_rates(signs, identities)
    assert found.different == (~is_same).sum()
    assert found.rates == pytest.approx(literal_rates(signs, identities), abs=1e-12)


def test_blocks_do_not_change_the_rates() -> None:
    embeddings, identities = cloud(30, 4, 1.0)
    whole = verification_rates(embeddings, identities)
    blocks = verification_rates(embeddings, identities, tile=7)
    assert (blocks.same, blocks.different) == (whole.same, whole.different)
    assert blocks.rates == pytest.approx(whole.rates, abs=1e-3)


def test_lengths_and_unknown_people_do_not_matter() -> None:
    embeddings, identities = cloud(20, 4, 1.0)
    stranger = np.concatenate([embeddings, embeddings[:3]]), np.concatenate([identities, [-1] * 3])
    scaled = np.float32(2) * stranger[0]
    assert verification_rates(scaled, stranger[1]) == verification_rates(embeddings, identities)


def test_separate_people_are_told_apart_at_every_rate() -> None:
    embeddings, identities = cloud(10, 3, 0.0)
    assert set(verification_rates(embeddings, identities).rates.values()) == {1.0}


@pytest.mark.parametrize("identities", [[0, 0, 0], [0, 1, 2], [-1, -1, -1]])
def test_pairs_of_both_kinds_are_needed(identities: list[int]) -> None:
    embeddings = np.eye(3, dtype=np.float32) + 1
    with pytest.raises(InputError, match="re-identification needs"):
        verification_rates(embeddings, np.array(identities))


def test_damaged_weights_are_named() -> None:
    embeddings = np.full((3, 4), np.nan, np.float32)
    with pytest.raises(InputError, match="not finite"):
        verification_rates(embeddings, np.array([0, 0, 1]))


def test_memory_does_not_grow_with_the_number_of_pairs() -> None:
    embeddings, identities = cloud(1500, 2, 1.0)
    tracemalloc.start()
    verification_rates(embeddings, identities, tile=256)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    all_pairs = len(embeddings) ** 2 * 4
    assert peak < all_pairs / 4
