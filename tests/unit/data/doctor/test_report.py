import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from jde.data.doctor.charts import histogram, size_scatter, ticks
from jde.data.doctor.contact_sheet import TILE, choose, contact_sheet
from jde.data.doctor.examination import examine
from jde.data.doctor.inspection import inspect
from jde.data.doctor.inventory import take_inventory
from jde.data.doctor.report import as_html, as_text, as_yaml, levels_of

NETWORK = (576, 320)
ANCHORS = np.array([[100.0, 300.0], [20.0, 60.0], [10.0, 30.0]])


class Balance(HTMLParser):
    """Fails on an element that is closed but not open."""

    VOID = frozenset({"meta", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        del tag, attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_boxes_are_counted_by_class_where_there_are_several(
    tmp_path: Path, add: Callable[..., Path]
) -> None:
    add("A/images/1.jpg", "0 3 0.5 0.5 0.2 0.5\n2 4 0.7 0.5 0.2 0.5\n2 5 0.3 0.5 0.2 0.5\n")
    examination = examine(inspect(take_inventory(tmp_path)), NETWORK, ANCHORS)
    assert examination.classes == {0: 1, 2: 2}
    assert "Boxes by class: 0: 1, 2: 2" in as_text(examination)
    assert "Boxes by class: 0: 1, 2: 2" in as_html("set", examination, None)


def test_the_page_stands_alone_and_shows_names_as_text(
    tmp_path: Path, add: Callable[..., Path]
) -> None:
    add("A/images/<b>&1.jpg", "0 3 0.5 0.5 0.2 0.5\n0 3 0.7 0.5 0.2 0.5\n")
    add("B/images/1.jpg", "0 4 0.5 0.5 0.2 0.5\n", to="b.val")
    pictures = inspect(take_inventory(tmp_path))
    examination = examine(pictures, NETWORK, ANCHORS)
    page = as_html("<i>set", examination, contact_sheet(pictures))
    assert "<h1>&lt;i&gt;set</h1>" in page
    assert "&lt;b&gt;&amp;1.jpg: identity 3" in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    text = as_text(examination)
    assert "Boxes by class" not in text + page
    assert re.search(r"^all +2 +0 +3 +0 +2$", text, re.MULTILINE)
    assert "! 1 identity twice in one picture" in text


def test_a_set_without_boxes_has_a_page_too(tmp_path: Path, add: Callable[..., Path]) -> None:
    add("A/images/1.jpg", "")
    pictures = inspect(take_inventory(tmp_path))
    examination = examine(pictures, NETWORK, ANCHORS)
    assert "Sizes and anchors" not in as_html("set", examination, None)
    assert "Anchors" not in as_text(examination)


def test_the_sheet_draws_boxes_where_the_people_are(
    tmp_path: Path, add: Callable[..., Path]
) -> None:
    add("A/images/1.jpg", "0 -1 0.5 0.5 0.5 0.5\n")
    plain = add("A/images/2.jpg", "")
    sheet = contact_sheet(inspect(take_inventory(tmp_path)))
    assert sheet is not None
    # 200 x 100 becomes 480 x 240 with 30 rows of grey above: the box is 240 x 120.
    first = sheet[: TILE[1], : TILE[0]]
    assert (first[30 + 60, 130:350] == 200).all()
    assert (first[95:205, 120] == 200).all()
    assert plain.exists()
    assert sheet.shape[1] == TILE[0], "a picture with people is preferred to one without"


def test_every_group_gets_its_share_of_the_sheet(tmp_path: Path, add: Callable[..., Path]) -> None:
    for number in range(30):
        add(f"A/images/{number}.jpg", "0 0 0.5 0.5 0.5 0.5\n")
    for number in range(2):
        add(f"B/images/{number}.jpg", "0 0 0.5 0.5 0.5 0.5\n", to="b.val")
    chosen = choose(inspect(take_inventory(tmp_path)))
    groups = [one.group for one in chosen]
    assert (groups.count("a.train"), groups.count("b.val")) == (22, 2)
    assert len({one.path for one in chosen}) == 24


def test_no_readable_picture_gives_no_sheet(tmp_path: Path, add: Callable[..., Path]) -> None:
    add("A/images/1.jpg", "").write_bytes(b"")
    assert contact_sheet(inspect(take_inventory(tmp_path))) is None


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (10.0, [0, 2, 4, 6, 8, 10]),
        (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1234.0, [0, 250, 500, 750, 1000]),
    ],
)
def test_ticks_are_round(end: float, expected: list[float]) -> None:
    np.testing.assert_allclose(ticks(end), expected)


def test_histogram_bars_are_as_high_as_their_counts() -> None:
    chart = ET.fromstring(histogram(np.array([1.0, 1.0, 9.0]), bins=2, x_title="<x>"))
    bars = [float(bar.attrib["height"]) for bar in chart.iter("rect")]
    assert bars == pytest.approx([200, 100])


def test_scatter_marks_both_sets_of_anchors() -> None:
    chart = ET.fromstring(size_scatter(ANCHORS, ANCHORS, ANCHORS[:2]))
    kinds = [path.attrib["class"] for path in chart.iter("path")]
    assert (kinds.count("anchor"), kinds.count("suggestion")) == (3, 2)


def test_anchors_are_listed_by_level() -> None:
    assert levels_of(np.arange(24.0).reshape(12, 2))[0] == "0x1, 2x3, 4x5, 6x7"
    assert len(levels_of(np.ones((5, 2)))) == 3
    assert as_yaml(np.arange(12.0).reshape(6, 2)) == (
        "[[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]]"
    )
