import numpy as np

from jde.data.scenes.crowd import ROOM, Crowd, Ground

GROUND = Ground(near=4.0, far=25.0, slope=0.6)


def make_crowd(count: int, seed: int = 0) -> Crowd:
    return Crowd(GROUND, np.random.default_rng(seed), count)


def test_nobody_walks_through_anybody() -> None:
    crowd = make_crowd(25)
    closest = []
    for _ in range(150):
        crowd.step(0.04)
        apart = np.linalg.norm(crowd.places[:, None] - crowd.places[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        closest.append(apart.min())
    # Bodies are about 0.45 m wide; being parted from two neighbours at once costs a little room.
    assert min(closest) > 0.7 * ROOM


def test_people_who_leave_are_replaced_by_new_identities() -> None:
    crowd = make_crowd(8)
    first = set(crowd.identities.tolist())
    for _ in range(800):
        crowd.step(0.1)
        assert len(set(crowd.identities.tolist())) == 8
    assert first == set(range(8))
    assert crowd.newest > 8


def test_people_move_no_faster_than_they_can_walk() -> None:
    crowd = make_crowd(10)
    before, names = crowd.places.copy(), crowd.identities.copy()
    for _ in range(25):
        crowd.step(0.04)
    stayed = crowd.identities == names
    moved = np.linalg.norm(crowd.places - before, axis=1)[stayed]
    assert moved.max() < 3.0
    assert moved.max() > 0.5


def test_crowd_of_nobody_walks_on() -> None:
    crowd = make_crowd(0)
    crowd.step(0.04)
    assert len(crowd.places) == 0
