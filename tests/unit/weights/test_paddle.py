import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from jde.structures.errors import InputError
from jde.weights.paddle import read_paddle, write_array
from jde.weights.weight_file import WeightFile

PROTOCOLS = [2, 3, 4, 5]


def read(path: Path, content: bytes) -> dict[str, Tensor]:
    path.write_bytes(content)
    with WeightFile(path) as file:
        return {name: stored.load() for name, stored in read_paddle(file).items()}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_every_kind_are_read_bit_by_bit(tmp_path: Path, protocol: int) -> None:
    generator = np.random.default_rng(3)
    arrays: dict[str, np.ndarray] = {
        "small": generator.normal(size=(2, 3)).astype(np.float32),
        "large": generator.normal(size=(40, 50)).astype(np.float32),
        "columns": np.asfortranarray(generator.normal(size=(50, 50)).astype(np.float32)),
        "flat columns": np.asfortranarray(generator.normal(size=(30, 70)).astype(np.float32)),
        "half": generator.normal(size=5).astype(np.float16),
        "double": generator.normal(size=5),
        "whole": np.arange(-3, 3),
        "bytes": np.arange(256, dtype=np.uint8),
        "scalar": np.array(3, np.float32),
        "empty": np.zeros((0, 4), np.float32),
    }
    names = {"StructuredToParameterName@@": {"small": "conv2d_0.w_0"}, "epoch": np.float64(3)}
    content: dict[str, Any] = {**arrays, **names}
    found = read(tmp_path / "a", pickle.dumps(content, protocol))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].numpy().dtype == array.dtype, name
        assert np.array_equal(found[name].numpy(), array), name


@pytest.mark.parametrize("name", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_both_homes_of_numpys_rebuilder_are_known(tmp_path: Path, name: str) -> None:
    content = pickle.dumps({"a": np.ones(3, np.float32)}, 2)
    old = content.replace(b"numpy._core.multiarray", name.encode())
    assert torch.equal(read(tmp_path / "a", old)["a"], torch.ones(3))


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_code_in_a_checkpoint_never_runs(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "executed"
    content = pickle.dumps({"a": np.ones(3), "b": Hostile(mark)}, protocol)
    with pytest.raises(InputError, match="trust"):
        read(tmp_path / "a.pdparams", content)
    assert not mark.exists()


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    content = pickle.dumps({"a": np.array([{}, []], dtype=object)}, 4)
    with pytest.raises(InputError, match="damaged"):
        read(tmp_path / "a", content)


def test_big_endian_numbers_are_refused(tmp_path: Path) -> None:
    content = pickle.dumps({"a": np.ones(3, ">f4")}, 4)
    with pytest.raises(InputError, match="backwards"):
        read(tmp_path / "a", content)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_shape_beyond_its_bytes_is_refused_before_anything_is_allocated(
    tmp_path: Path, protocol: int
) -> None:
    content = pickle.dumps({"a": np.zeros(5000, np.float32)}, protocol)
    grown = content.replace(b"M\x88\x13", b"J\x00\x00\x00\x7f")
    assert grown != content
    with pytest.raises(InputError, match="doesn't fit"):
        read(tmp_path / "a", grown)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_cut_checkpoint_is_one_error_wherever_it_ends(tmp_path: Path, protocol: int) -> None:
    content = pickle.dumps({"a": np.ones(30, np.float32), "b": np.ones(2000)}, protocol)
    for length in range(0, len(content), 613):
        with pytest.raises(InputError, match=r"a\.pdparams: "):
            read(tmp_path / "a.pdparams", content[:length])


@pytest.mark.parametrize("value", [[1, 2], {}, {"a": 1}, "text", None])
def test_a_pickle_without_arrays_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(InputError, match=r"no dictionary|no weights"):
        read(tmp_path / "a", pickle.dumps(value, 4))


def test_a_split_tensor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 GiB"):
        read(tmp_path / "a", pickle.dumps({"UnpackBigParamInfor@@": {}}, 2))


def test_written_arrays_are_what_numpy_unpickles(tmp_path: Path) -> None:
    path = tmp_path / "a"
    tensor = torch.arange(12.0).reshape(3, 4)
    with path.open("wb") as file:
        file.write(b"\x80\x03")
        write_array(file, tensor)
        file.write(b".")
    array = pickle.loads(path.read_bytes())
    assert array.dtype == np.float32
    assert np.array_equal(array, tensor.numpy())
    assert array.flags.writeable
