from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from jde.structures.errors import InputError
from jde.weights.mindspore import read_mindspore, spell_field, spell_varint, write_records
from jde.weights.weight_file import WeightFile


def read(path: Path, content: bytes) -> dict[str, Tensor]:
    path.write_bytes(content)
    with WeightFile(path) as file:
        return {name: stored.load() for name, stored in read_mindspore(file).items()}


def tensor_message(shape: tuple[int, ...], kind: str, content: bytes, *, packed: bool) -> bytes:
    lengths = b"".join(map(spell_varint, shape))
    if packed:
        axes = spell_field(1, lengths)
    else:
        axes = b"".join(b"\x08" + spell_varint(length) for length in shape)
    return axes + spell_field(2, kind.encode()) + spell_field(3, content)


def record(name: str, message: bytes) -> bytes:
    return spell_field(1, spell_field(1, name.encode()) + spell_field(2, message))


def test_a_record_spelled_by_hand_is_read(tmp_path: Path) -> None:
    content = bytes.fromhex("0a1b 0a0161 1216 0802 0801 1207") + b"Float32"
    content += bytes.fromhex("1a08 0000803f 00000040")
    content = b"\x0a" + bytes([len(content) - 2]) + content[2:]
    content = content.replace(b"\x12\x16", b"\x12" + bytes([len(content) - 7]), 1)
    assert torch.equal(read(tmp_path / "a", content)["a"], torch.tensor([[1.0], [2.0]]))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("kind", "dtype"), [("Float32", np.float32), ("Float16", np.float16), ("Int32", np.int32)]
)
def test_numbers_of_every_kind_are_read(
    tmp_path: Path, kind: str, dtype: type, *, packed: bool
) -> None:
    values: np.ndarray = np.arange(300).reshape(3, 100).astype(dtype)
    message = tensor_message((3, 100), kind, values.tobytes(), packed=packed)
    found = read(tmp_path / "a", record("a", message))["a"]
    assert np.array_equal(found.numpy(), values)
    assert found.numpy().dtype == dtype


@pytest.mark.parametrize("shape", [(), (0,), (1,)])
def test_every_spelling_of_a_single_number_is_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    message = tensor_message(shape, "Float32", np.float32(2.5).tobytes(), packed=False)
    found = read(tmp_path / "a", record("s_c", message))["s_c"]
    assert (found.numel(), found.item()) == (1, 2.5)


def test_tensors_in_several_records_are_joined(tmp_path: Path) -> None:
    values = np.arange(10, dtype=np.float32)
    parts = [values[:4].tobytes(), values[4:].tobytes()]
    content = b"".join(
        record("a", tensor_message((10,), "Float32", part, packed=False)) for part in parts
    )
    assert np.array_equal(read(tmp_path / "a", content)["a"].numpy(), values)


def test_a_checksum_at_the_end_is_skipped(tmp_path: Path) -> None:
    message = tensor_message((1,), "Float32", bytes(4), packed=False)
    content = record("a", message) + b"crc_num" + (12345).to_bytes(10, "big")
    assert list(read(tmp_path / "a", content)) == ["a"]


def test_records_without_plain_tensors_are_skipped(tmp_path: Path) -> None:
    text = tensor_message((2,), "String", b"ab", packed=False)
    other = spell_field(1, spell_field(1, b"map") + spell_field(3, b"xyz"))
    good = record("a", tensor_message((1,), "Float32", bytes(4), packed=False))
    assert list(read(tmp_path / "a", record("words", text) + other + good)) == ["a"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    tensors = {"a.0.weight": torch.randn(2, 3, 1, 1), "s": torch.tensor([3.0]), "e": torch.zeros(0)}
    write_records(tmp_path / "a", tensors)
    found = read(tmp_path / "b", (tmp_path / "a").read_bytes())
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize(
    ("shape", "content"),
    [((3,), bytes(4)), ((1 << 62,), bytes(4)), ((2, 2), bytes(12)), ((1,), bytes(3))],
)
def test_shapes_that_dont_fit_are_refused_before_anything_is_allocated(
    tmp_path: Path, shape: tuple[int, ...], content: bytes
) -> None:
    message = tensor_message(shape, "Float32", content, packed=False)
    with pytest.raises(InputError, match="doesn't fit"):
        read(tmp_path / "a", record("a", message))


def test_a_cut_checkpoint_is_one_error_wherever_it_ends(tmp_path: Path) -> None:
    write_records(tmp_path / "first", {"a": torch.randn(40)})
    write_records(tmp_path / "whole", {"a": torch.randn(40), "b": torch.randn(3)})
    content = (tmp_path / "whole").read_bytes()
    # A cut between two records leaves a shorter checkpoint; its network misses tensors then.
    boundary = (tmp_path / "first").stat().st_size
    for length in {*range(0, len(content), 3), boundary - 1, boundary + 1} - {boundary}:
        with pytest.raises(InputError, match=r"a\.ckpt: "):
            read(tmp_path / "a.ckpt", content[:length])


def test_endless_numbers_and_groups_are_refused(tmp_path: Path) -> None:
    for content in (b"\xff" * 30, b"\x0b" * 8, b"\x0a\x05" + b"\x0a\xff\xff\xff\xff"):
        with pytest.raises(InputError, match="damaged"):
            read(tmp_path / "a", content)
