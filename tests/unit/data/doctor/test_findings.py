from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jde.data.doctor.examination import Examination, examine
from jde.data.doctor.findings import find_shared
from jde.data.doctor.inspection import digest_of, inspect
from jde.data.doctor.inventory import take_inventory

NETWORK = (576, 320)
ANCHORS = np.array([[100.0, 300.0], [20.0, 60.0]])
BOX = "0.5 0.5 0.2 0.5"


def examined(dataset: Path) -> Examination:
    return examine(inspect(take_inventory(dataset)), NETWORK, ANCHORS)


def titles(dataset: Path) -> list[str]:
    return [finding.title for finding in examined(dataset).findings]


def test_a_sound_set_has_no_findings_and_is_counted(
    tmp_path: Path, add: Callable[..., Path]
) -> None:
    for number in (1, 2):
        add(f"A/images/{number}.jpg", f"0 0 {BOX}\n0 1 0.8 0.5 0.1 0.5\n")
    examination = examined(tmp_path)
    assert examination.findings == ()
    assert examination.fault == ""
    (group,) = examination.groups
    assert (group.name, group.pictures, group.boxes, group.identities) == ("a.train", 2, 4, 2)
    assert group.sizes == ((200, 100),)
    # 200 x 100 fills 576 x 320 across: every pixel becomes 2.88.
    np.testing.assert_allclose(examination.sizes[0], [0.2 * 576, 0.5 * 288])


def test_no_identities_at_all_says_what_that_means(
    tmp_path: Path, add: Callable[..., Path]
) -> None:
    add("A/images/1.jpg", f"0 -1 {BOX}\n")
    (finding,) = examined(tmp_path).findings
    assert finding.title == "no identities at all"
    assert "identity learning gets nothing" in finding.meaning


@pytest.mark.parametrize(
    ("labels", "title"),
    [
        (f"0 -1 {BOX}\n0 0 {BOX}\n", "2 of 4 boxes without identity"),
        (f"0 0 {BOX}\n0 0 0.8 0.5 0.1 0.5\n", "2 identities twice in one picture"),
        (f"0 0 {BOX}\n0 9 {BOX}\n", "identity numbers up to 9 for 2 people"),
        ("0 0 0.95 0.5 0.2 0.5\n", "2 boxes out of the picture"),
        ("0 0 0.5 0.5 0.02 0.04\n", "2 of 2 boxes lower than 12 pixels in the network"),
    ],
)
def test_faults_of_labels_are_counted(
    labels: str, title: str, tmp_path: Path, add: Callable[..., Path]
) -> None:
    add("A/images/1.jpg", labels)
    add("A/images/2.jpg", labels)
    assert titles(tmp_path) == [title]


def test_boxes_that_show_nobody_are_counted(tmp_path: Path, add: Callable[..., Path]) -> None:
    for number in (1, 2):
        add(f"S1/img1/00000{number}.jpg", None, to="unused")
    (tmp_path / "S1" / "gt").mkdir()
    (tmp_path / "S1" / "gt" / "gt.txt").write_text(
        "1,5,20,10,40,50,1,1,1\n2,5,20,10,40,-50,1,1,1\n"
        "1,6,20,10,0,50,1,1,1\n2,6,-20,10,10,50,1,1,1\n"
    )
    found = {one.title: one.examples for one in examined(tmp_path / "S1").findings}
    assert [one.split(": ")[1] for one in found["2 boxes without width or height"]] == [
        "20,10,0,50",
        "20,10,40,-50",
    ]
    assert found["1 box wholly out of the picture"][0].endswith("000002.jpg: -20,10,10,50")


def test_identities_seen_once(tmp_path: Path, add: Callable[..., Path]) -> None:
    add("A/images/1.jpg", f"0 0 {BOX}\n0 1 {BOX}\n")
    add("A/images/2.jpg", f"0 0 {BOX}\n")
    (finding,) = examined(tmp_path).findings
    assert finding.title == "1 of 2 identities seen once"
    assert finding.examples == ("a.train: identity 1",)


def test_missing_and_malformed_labels(tmp_path: Path, add: Callable[..., Path]) -> None:
    for number in (1, 2):
        add(f"A/images/{number}.jpg", f"0 0 {BOX}\n")
    add("A/images/3.jpg", None)
    add("A/images/4.jpg", "0 0 7 0.5 0.2 0.5\n")
    (finding,) = examined(tmp_path).findings
    assert finding.title == "2 missing or malformed label files"
    assert "3.txt: is missing" in finding.examples[0]
    assert "4.txt, line 1: the box lies outside" in finding.examples[1]


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_damaged_and_truncated_pictures(
    suffix: str, tmp_path: Path, add: Callable[..., Path]
) -> None:
    for number in range(4):
        add(f"A/images/{number}.{suffix}", f"0 0 {BOX}\n")
    gone, damaged, cut = (tmp_path / f"A/images/{number}.{suffix}" for number in (1, 2, 3))
    gone.unlink()
    damaged.write_bytes(b"no picture")
    cut.write_bytes(cut.read_bytes()[:-5000])
    (finding,) = examined(tmp_path).findings
    assert finding.title == "3 damaged or missing pictures"
    assert "1." in finding.examples[0]
    assert "can't be read" in finding.examples[0]
    assert "is no picture or is damaged" in finding.examples[1]
    # Some decoders refuse what is cut off, others fill it with grey.
    assert finding.examples[2].startswith(str(cut))


def test_one_picture_under_two_names(tmp_path: Path, add: Callable[..., Path]) -> None:
    first = add("A/images/1.jpg", f"0 0 {BOX}\n", seed=1)
    second = add("B/images/other.jpg", f"0 0 {BOX}\n", to="b.val", seed=1)
    assert titles(tmp_path)[-1] == "1 picture with the content of another one"
    (finding,) = find_shared(
        inspect(take_inventory(tmp_path / "a.train")), [(second, digest_of(second))], "b.val"
    )
    assert finding.title == "1 picture also in b.val"
    assert finding.examples == (f"{first} is {second}",)


def test_sets_without_common_pictures_share_nothing(
    tmp_path: Path, add: Callable[..., Path]
) -> None:
    add("A/images/1.jpg", "")
    other = add("B/images/1.jpg", "", to="b.val")
    pictures = inspect(take_inventory(tmp_path / "a.train"))
    others = [(other, digest_of(other)), (tmp_path / "absent.jpg", digest_of(tmp_path / "absent"))]
    assert not list(find_shared(pictures, others, "b.val"))


def test_a_set_without_boxes_is_unusable(tmp_path: Path, add: Callable[..., Path]) -> None:
    add("A/images/1.jpg", "")
    assert examined(tmp_path).fault == "none of its pictures can be read and has a box"
    (tmp_path / "a.train").write_text("")
    assert examined(tmp_path).fault == "it lists no picture"
