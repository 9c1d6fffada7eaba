from collections.abc import Callable
from pathlib import Path

import pytest

from jde.data.prepare.prepared import Person, PreparedPicture
from jde.data.prepare.writing import PicturesBy, write_set
from jde.structures.errors import InputError

WAYS: list[PicturesBy] = ["copy", "hardlink", "symlink"]


@pytest.fixture
def source(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    return picture(tmp_path / "raw" / "one.jpg")


def labelled(
    source: Path | bytes, *people: Person, name: str = "A/images/1.jpg"
) -> PreparedPicture:
    return PreparedPicture(source, name, people)


@pytest.mark.parametrize("by", WAYS)
def test_a_second_run_leaves_everything_as_it_is(
    by: PicturesBy, source: Path, tmp_path: Path
) -> None:
    pictures = [labelled(source, Person(3, 20, 10, 40, 50))]
    root = tmp_path / "root"
    assert write_set(pictures, root, "a", by=by)["train"].kept == 0
    files = [path for path in root.rglob("*") if path.suffix in {".jpg", ".txt"}]
    before = {path: path.lstat().st_mtime_ns for path in files}
    content = source.read_bytes()
    assert write_set(pictures, root, "a", by=by)["train"].kept == 1
    assert {path: path.lstat().st_mtime_ns for path in files} == before
    assert source.read_bytes() == content
    assert not list(root.rglob("*.partial"))


@pytest.mark.parametrize("by", WAYS)
def test_a_damaged_copy_and_old_labels_are_replaced(
    by: PicturesBy, source: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    target, labels = root / "A/images/1.jpg", root / "A/labels_with_ids/1.txt"
    for path in (target, labels):
        path.parent.mkdir(parents=True)
        path.write_text("half a fi")
    counts = write_set([labelled(source, Person(3, 20, 10, 40, 50))], root, "a", by=by)["train"]
    assert counts.kept == 0
    assert target.read_bytes() == source.read_bytes()
    assert labels.read_text() == "0 3 0.200000 0.350000 0.200000 0.500000\n"


@pytest.mark.parametrize(("first", "second"), [("hardlink", "copy"), ("symlink", "copy")])
def test_a_copy_shares_nothing_with_the_source_even_after_links(
    first: PicturesBy, second: PicturesBy, source: Path, tmp_path: Path
) -> None:
    for by in (first, second):
        write_set([labelled(source)], tmp_path / "root", "a", by=by)
    copy = tmp_path / "root" / "A/images/1.jpg"
    assert not copy.is_symlink()
    assert not copy.samefile(source)


def test_boxes_without_area_or_outside_the_picture_are_counted_and_left_out(
    source: Path, tmp_path: Path
) -> None:
    people = [
        Person(1, 20, 10, 40, 50),
        Person(2, 20, 10, 0, 50),
        Person(3, 20, 10, 40, -5),
        Person(4, 300, 10, 40, 50),
        Person(5, -300, -300, 1000, 1000),
        Person(6, float("nan"), 10, 40, 50),
        Person(-1, 0, 0, 20, 10),
    ]
    counts = write_set([labelled(source, *people)], tmp_path / "root", "a")["train"]
    assert (counts.boxes, counts.unknown, counts.dropped) == (2, 1, 5)
    assert counts.identities == {1}


def test_a_broken_picture_is_named_and_no_list_is_written(source: Path, tmp_path: Path) -> None:
    broken = tmp_path / "raw" / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    pictures = [labelled(source), labelled(broken, name="A/images/2.jpg")]
    with pytest.raises(InputError, match=r"raw/broken.jpg: is no picture or is damaged"):
        write_set(pictures, tmp_path / "root", "a")
    assert not (tmp_path / "root" / "a.train").exists()


def test_two_pictures_of_one_name_are_an_error(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"A/images/1.jpg: two pictures of the set"):
        write_set([labelled(source), labelled(source)], tmp_path / "root", "a")


def test_the_word_images_stays_unique_in_a_name(source: Path, tmp_path: Path) -> None:
    root = tmp_path / "images" / "root"
    write_set([labelled(source, name="A/images/images/images_1.jpg")], root, "a")
    assert (root / "a.train").read_text() == "A/images/pictures/pictures_1.jpg\n"
    assert (root / "A/labels_with_ids/pictures/pictures_1.txt").is_file()


@pytest.mark.parametrize("name", ["A/images/../../1.jpg", "my-images/images/1.jpg"])
def test_names_that_would_lose_labels_or_leave_the_root_are_refused(
    name: str, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="must stay below its folder"):
        write_set([labelled(source, name=name)], tmp_path / "root", "a")


def test_pictures_of_a_container_are_written_as_they_are(source: Path, tmp_path: Path) -> None:
    content = source.read_bytes()
    for kept in (0, 1):
        assert write_set([labelled(content)], tmp_path / "root", "a")["train"].kept == kept
    assert (tmp_path / "root" / "A/images/1.jpg").read_bytes() == content
