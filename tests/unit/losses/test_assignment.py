import pytest
import torch

from jde.losses.assignment import Grid, LevelTargets, People, assign

ANCHORS = ((85, 255), (21, 64), (8, 23))
STRIDES = (32, 16, 8)


def grids() -> list[Grid]:
    return [
        Grid(torch.tensor([anchor], dtype=torch.float32), stride, 320 // stride, 576 // stride)
        for anchor, stride in zip(ANCHORS, STRIDES, strict=True)
    ]


def people(*rows: tuple[float, ...]) -> People:
    """Return people of rows (cx, cy, w, h, identity, picture)."""
    values = torch.tensor(rows).reshape(-1, 6)
    whole = values.long()
    return People(values[:, :4].float(), whole[:, 4], whole[:, 5], 0 * whole[:, 5])


def count(targets: list[LevelTargets]) -> list[int]:
    return [int((level.objectness == 1).sum()) for level in targets]


def test_nobody_gives_no_target() -> None:
    for level in assign(people(), grids(), 2):
        assert level.objectness.shape[0] == 2
        assert not level.objectness.any()
        assert level.boxes.shape == (0, 4)
        assert level.identities.shape == (0,)


def test_a_person_of_no_size_is_nobody() -> None:
    targets = assign(people((100, 100, 0, 0, 3, 0)), grids(), 1, assign_best=True)
    assert count(targets) == [0, 0, 0]


def test_people_go_to_their_own_picture() -> None:
    targets = assign(people((100, 100, 21, 64, 3, 1)), grids(), 2)
    assert not targets[1].objectness[0].any()
    assert (targets[1].places.picture == 1).all()


def test_the_larger_identity_takes_a_shared_cell() -> None:
    one, other = (160, 160, 21, 64, 3, 0), (163, 160, 21, 64, 9, 0)
    middle = assign(people(other, one), grids(), 1)[1]
    at = (middle.cells.row == 10) & (middle.cells.column == 10)
    assert middle.identities[at].tolist() == [3]  # One anchor per cell: who overlaps it more.
    wide = Grid(torch.tensor([[21.0, 64], [40, 64]]), 16, 20, 36)
    both = assign(people((160, 160, 21, 64, 3, 0), (163, 160, 40, 64, 9, 0)), [wide], 1)[0]
    at = (both.cells.row == 10) & (both.cells.column == 10)
    assert both.identities[at].tolist() == [9]


def test_the_first_of_two_equal_people_takes_the_anchor() -> None:
    twice = people((160, 160, 21, 64, 3, 0), (160, 160, 21, 64, 9, 0))
    assert set(assign(twice, grids(), 1)[1].identities.tolist()) == {3}


def test_an_overlap_of_exactly_a_half_counts_as_background() -> None:
    square = Grid(torch.tensor([[64.0, 64]]), 32, 10, 18)
    level = assign(people((160, 160, 64, 32, 1, 0)), [square], 1)[0]
    assert level.objectness[0, 0, 5, 5] == 0


def test_centres_beyond_the_picture_are_held_inside() -> None:
    level = assign(people((-30, 160, 21, 64, 1, 0)), grids(), 1)[1]
    assert level.objectness[0, 0, 10, 0] == 1
    assert level.boxes[(level.places.row == 10) & (level.places.column == 0), 0].item() == 0


@pytest.mark.parametrize("assign_best", [False, True])
def test_odd_shapes_teach_only_where_asked(*, assign_best: bool) -> None:
    lying = people((300, 170, 200, 30, 4, 0))
    targets = assign(lying, grids(), 1, assign_best=assign_best)
    assert sum(count(targets)) == int(assign_best)
    if assign_best:
        (level,) = (level for level in targets if len(level.boxes))
        assert level.identities.tolist() == [4]
        assert (level.boxes[:, 2:] != 0).all()


def test_best_anchors_never_take_what_belongs_to_another() -> None:
    stands, lies = (160, 160, 21, 64, 3, 0), (160, 160, 120, 12, 9, 0)
    before = assign(people(stands), grids(), 1)[1]
    after = assign(people(stands, lies), grids(), 1, assign_best=True)[1]
    at = (after.cells.row == 10) & (after.cells.column == 10)
    assert after.identities[at].tolist() == [3]
    assert len(after.boxes) >= len(before.boxes)


def test_two_people_without_anchors_of_their_own_share_none() -> None:
    lying = people((300, 170, 200, 30, 4, 0), (302, 170, 200, 31, 5, 0))
    targets = assign(lying, grids(), 1, assign_best=True)
    assert sum(count(targets)) == 1
    assert [i for level in targets for i in level.identities.tolist()] == [4]
