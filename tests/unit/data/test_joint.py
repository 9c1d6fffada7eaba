from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from jde.data.joint import JointSource
from jde.data.sample import Labels, Sample
from jde.structures.errors import InputError

RNG = np.random.default_rng(0)


@dataclass(frozen=True, slots=True)
class Row:
    """Pictures whose people bear the number of the picture."""

    name: str
    length: int
    identity_count: int

    def __len__(self) -> int:
        return self.length

    def load(self, index: int, rng: np.random.Generator) -> Sample:  # noqa: ARG002 (protocol)
        identities = np.array([-1, min(index, self.identity_count - 1)], np.int64)
        labels = Labels(np.zeros((2, 4), np.float32), identities)
        return Sample(np.zeros((2, 2, 3), np.uint8), labels, Path(f"{self.name}/{index}"))


def paths(source: JointSource) -> list[str]:
    return [str(source.load(index, RNG).path) for index in range(len(source))]


def test_identities_run_on_over_the_sources() -> None:
    joint = JointSource([Row("a", 3, 3), Row("stills", 2, 0), Row("b", 2, 5)])
    assert joint.identity_count == 8
    assert [one.tolist() for one in joint.numbers] == [[0, 1, 2], [], [3, 4, 5, 6, 7]]
    identities = [joint.load(index, RNG).labels.identities.tolist() for index in range(len(joint))]
    assert identities == [[-1, 0], [-1, 1], [-1, 2], [-1, -1], [-1, -1], [-1, 3], [-1, 4]]


def test_published_joint_set_has_the_published_offsets() -> None:
    counts = {
        "mot17": 547,
        "caltech": 1043,
        "citypersons": 0,
        "cuhksysu": 11931,
        "prw": 933,
        "eth": 0,
    }
    joint = JointSource([Row(name, 1, count) for name, count in counts.items()])
    assert [int(one[0]) for one in joint.numbers if len(one)] == [0, 547, 1590, 13521]
    assert joint.identity_count == 14454


def test_repeats_change_how_often_pictures_occur() -> None:
    joint = JointSource([Row("a", 4, 0), Row("b", 2, 0)], [0.5, 2.5])
    assert paths(joint) == ["a/0", "a/2", "b/0", "b/1", "b/0", "b/1", "b/0"]
    assert joint.locate(2) == (1, 0)
    for outside in (-1, 7):
        with pytest.raises(IndexError):
            joint.locate(outside)


def test_repeats_above_one_show_the_rest_evenly() -> None:
    assert paths(JointSource([Row("a", 4, 0)], [1.5])) == ["a/0", "a/1", "a/2", "a/3", "a/0", "a/2"]


def test_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(InputError, match="hold no picture"):
        JointSource([])
    with pytest.raises(InputError, match="repeat must be a number above 0"):
        JointSource([Row("a", 4, 0)], [0.0])


@dataclass(frozen=True, slots=True)
class Named(Row):
    """Pictures of people with names."""

    identity_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut(Row):
    """Pictures of people who were cut out of others."""

    borrowed_names: tuple[str, ...] = ()


def test_cut_out_people_keep_the_number_of_the_person_they_show() -> None:
    joint = JointSource(
        [
            Cut("composed", 1, 3, ("street-2", "elsewhere-1", "street-1")),
            Named("street", 1, 2, ("street-1", "street-2")),
            Row("stills", 1, 2),
        ]
    )
    assert [one.tolist() for one in joint.numbers] == [[2, 0, 1], [1, 2], [3, 4]]
    assert joint.identity_count == 5


def test_a_name_of_two_sources_is_nobody() -> None:
    joint = JointSource(
        [Named("a", 1, 1, ("x",)), Named("b", 1, 1, ("x",)), Cut("composed", 1, 1, ("x",))]
    )
    assert [one.tolist() for one in joint.numbers] == [[0], [1], [2]]
