import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jde.data.doctor.inventory import take_inventory
from jde.data.prepare.prepared import Person
from jde.structures.errors import InputError

LABEL = "0 7 0.2 0.35 0.2 0.5\n"


def test_a_list_file_and_a_data_root(tmp_path: Path, add: Callable[..., Path]) -> None:
    first = add("A/images/1.jpg", LABEL)
    second = add("B/images/1.jpg", "", to="b.val")
    (listed,) = take_inventory(tmp_path / "a.train")
    assert (listed.path, listed.group, listed.problem) == (first, "a.train", "")
    assert listed.people[0] == pytest.approx(Person(7, 0.1, 0.1, 0.2, 0.5, 0))
    assert [one.path for one in take_inventory(tmp_path)] == [first, second]


@pytest.mark.parametrize("labels", ["labels_with_ids", "labels"])
def test_a_folder_of_pictures_and_labels(
    labels: str, tmp_path: Path, add: Callable[..., Path]
) -> None:
    picture = add("A/images/x/1.jpg", LABEL)
    if labels != "labels_with_ids":
        shutil.move(tmp_path / "A" / "labels_with_ids", tmp_path / "A" / labels)
    (listed,) = take_inventory(tmp_path / "A")
    assert (listed.path, listed.group, len(listed.people)) == (picture, "A", 1)


def test_mot_sequences_without_seqinfo(tmp_path: Path, add: Callable[..., Path]) -> None:
    picture = add("S1/img1/000001.jpg", None, to="unused")
    (tmp_path / "S1" / "gt").mkdir()
    (tmp_path / "S1" / "gt" / "gt.txt").write_text("1,5,20,10,40,50,1,1,1\n")
    (listed,) = take_inventory(tmp_path / "S1")
    assert (listed.path, listed.group, listed.relative) == (picture, "S1", False)
    assert listed.people == [Person(1, 20, 10, 40, 50)]


def test_sequences_without_ground_truth_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "S1"
    (folder / "img1").mkdir(parents=True)
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=S1\n")
    with pytest.raises(InputError, match=r"S1/gt/gt\.txt: is missing, as in every sequence here"):
        take_inventory(tmp_path / "set")


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (None, r"labels_with_ids/1.txt: is missing"),
        ("0 1 0.5 0.5 0.5\n", r"1.txt, line 1: has 5 columns"),
        ("0 1 nan 0.5 0.5 0.5\n", r"1.txt, line 1: 'nan' is no finite number"),
    ],
)
def test_faulty_labels_become_a_problem_of_the_picture(
    labels: str | None, problem: str, tmp_path: Path, add: Callable[..., Path]
) -> None:
    add("A/images/1.jpg", labels)
    (listed,) = take_inventory(tmp_path / "a.train")
    assert problem in listed.problem
    assert not listed.people


@pytest.mark.parametrize("name", ["", "absent"])
def test_anything_else_is_refused_with_the_layouts_that_work(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give a list file, a folder with images"):
        take_inventory(tmp_path / name)
