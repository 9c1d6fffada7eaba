from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from jde.data.prepare.cuhk_sysu import read_cuhk_sysu
from jde.data.prepare.prw import read_prw
from jde.structures.errors import InputError


def structs(fields: list[str], rows: list[tuple[Any, ...]]) -> Any:
    """Return a MATLAB struct array of one row."""
    array = np.empty((1, len(rows)), [(field, "O") for field in fields])
    for position, row in enumerate(rows):
        array[0, position] = row
    return array


def cells(values: list[Any], *, column: bool = False) -> Any:
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(-1, 1) if column else array.reshape(1, -1)


@pytest.fixture
def prw(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    """PRW-v16.04.20: the name of the box variable differs between files."""
    raw = tmp_path / "PRW"
    (raw / "annotations").mkdir(parents=True)
    boxes: dict[str, tuple[str, list[list[float]]]] = {
        "c1s1_000151": ("box_new", [[932, 20, 10, 40, 50], [-2, 0, 0, 20, 10]]),
        "c1s1_000176": ("anno_file", [[7, 100, 0, 100, 100]]),
        "c2s3_000201": ("anno_previous", [[933, 20, 10, 40, 50]]),
    }
    for stem, (variable, rows) in boxes.items():
        picture(raw / "frames" / f"{stem}.jpg")
        savemat(raw / "annotations" / f"{stem}.jpg.mat", {variable: np.array(rows)})
    train, test = list(boxes)[:2], list(boxes)[2:]
    savemat(raw / "frame_train.mat", {"img_index_train": cells(list(train), column=True)})
    savemat(raw / "frame_test.mat", {"img_index_test": cells(list(test), column=True)})
    return raw


def test_prw_keeps_its_official_identity_numbers(
    prw: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    assert prepare(read_prw, prw) == {
        "SET/labels_with_ids/c1s1_000151.txt": (
            "0 932 0.200000 0.350000 0.200000 0.500000\n0 -1 0.050000 0.050000 0.100000 0.100000\n"
        ),
        "SET/labels_with_ids/c1s1_000176.txt": "0 7 0.750000 0.500000 0.500000 1.000000\n",
        "SET/labels_with_ids/c2s3_000201.txt": "0 933 0.200000 0.350000 0.200000 0.500000\n",
        "set.train": "SET/images/c1s1_000151.jpg\nSET/images/c1s1_000176.jpg\n",
        "set.val": "SET/images/c2s3_000201.jpg\n",
    }


@pytest.mark.parametrize("part", ["frames", "annotations", "frame_test.mat"])
def test_prw_without_a_part_says_what_is_expected(
    part: str, prw: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    (prw / part).rename(prw / "elsewhere")
    with pytest.raises(InputError, match=f"PRW/{part}: not found; expected frames/, annotations/"):
        prepare(read_prw, prw)


def test_prw_with_another_variable_names_the_file(
    prw: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    savemat(prw / "annotations" / "c1s1_000176.jpg.mat", {"boxes": np.zeros((1, 5))})
    with pytest.raises(InputError, match=r"000176.jpg.mat: holds no variable box_new or anno"):
        prepare(read_prw, prw)


@pytest.fixture
def cuhk_sysu(tmp_path: Path, picture: Callable[..., Path]) -> Path:
    raw = tmp_path / "CUHK-SYSU"
    (raw / "annotation").mkdir(parents=True)
    first, second, third = ([20, 10, 40, 50], [0, 0, 20, 10], [100, 0, 100, 100])
    for name in ("s1.jpg", "s2.jpg", "s3.jpg"):
        picture(raw / "Image" / "SSM" / name)

    def boxes(*found: list[int]) -> Any:
        return structs(["idlocate", "ishard"], [(np.array([box], np.int32), 0) for box in found])

    images = structs(
        ["imname", "nAppear", "box"],
        [
            ("s1.jpg", 2, boxes(first, second)),
            ("s2.jpg", 1, boxes(third)),
            ("s3.jpg", 1, boxes(third)),
        ],
    )
    savemat(raw / "annotation" / "Images.mat", {"Img": images})

    def scenes(*found: tuple[str, list[int]]) -> Any:
        rows = [(name, np.array([box], np.int32), 0) for name, box in found]
        return structs(["imname", "idlocate", "ishard"], rows)

    people = structs(
        ["idname", "nAppear", "scene"],
        [
            ("p11930", 2, scenes(("s1.jpg", second), ("s2.jpg", third))),
            ("p17", 1, scenes(("s3.jpg", third))),
        ],
    )
    savemat(raw / "annotation" / "Person.mat", {"Person": people})
    savemat(raw / "annotation" / "pool.mat", {"pool": cells(["s3.jpg"], column=True)})
    return raw


def test_cuhk_sysu_joins_boxes_with_the_people_in_them(
    cuhk_sysu: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    assert prepare(read_cuhk_sysu, cuhk_sysu) == {
        "SET/labels_with_ids/s1.txt": (
            "0 -1 0.200000 0.350000 0.200000 0.500000\n"
            "0 11930 0.050000 0.050000 0.100000 0.100000\n"
        ),
        "SET/labels_with_ids/s2.txt": "0 11930 0.750000 0.500000 0.500000 1.000000\n",
        "SET/labels_with_ids/s3.txt": "0 17 0.750000 0.500000 0.500000 1.000000\n",
        "set.train": "SET/images/s1.jpg\nSET/images/s2.jpg\n",
        "set.val": "SET/images/s3.jpg\n",
    }


def test_cuhk_sysu_without_pool_says_what_is_expected(
    cuhk_sysu: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    (cuhk_sysu / "annotation" / "pool.mat").unlink()
    with pytest.raises(InputError, match=r"pool.mat: not found; expected Image/SSM"):
        prepare(read_cuhk_sysu, cuhk_sysu)


def test_cuhk_sysu_with_another_kind_of_name_is_refused(
    cuhk_sysu: Path, prepare: Callable[..., dict[str, str]]
) -> None:
    scene = structs(["imname", "idlocate", "ishard"], [("s1.jpg", np.ones((1, 4)), 0)])
    people = structs(["idname", "nAppear", "scene"], [("Ann", 1, scene)])
    savemat(cuhk_sysu / "annotation" / "Person.mat", {"Person": people})
    with pytest.raises(InputError, match="'Ann' is no name of a person such as p17"):
        prepare(read_cuhk_sysu, cuhk_sysu)
