"""The interpreter of pickles: right on data, deaf to everything else."""

import io
import os
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jde.structures.errors import InputError
from jde.weights import paddle, pickled, zhongdao
from jde.weights.pickled import Builder, PickleReader
from jde.weights.weight_file import WeightFile

PLAIN = {
    "numbers": [0, 1, -1, 255, 65535, 70000, -70000, 2**40, -(2**70), 0.5, -1e300],
    "words": ["", "a", "é", "x" * 300],
    "others": [None, True, False, b"", b"bytes" * 60, ()],
    "tuples": [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "nested": {"a": {"b": [{"c": ()}]}},
    7: "seven",
}


def load(path: Path, content: bytes, allowed: dict[str, Any] | None = None) -> Any:
    path.write_bytes(content)
    with WeightFile(path) as file:
        return PickleReader(file, allowed or {}).load()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_are_read_as_python_reads_them(tmp_path: Path, protocol: int) -> None:
    plain = PLAIN
    if protocol == 2:
        # Python 3 spells bytes as calls in protocol 2.
        plain = {**PLAIN, "others": [None, True, False, ()]}
    assert load(tmp_path / "a", pickle.dumps(plain, protocol)) == plain
    optimised = pickletools.optimize(pickle.dumps(plain, protocol))
    assert load(tmp_path / "a", optimised) == plain


def test_shared_values_stay_shared(tmp_path: Path) -> None:
    shared = ["x"]
    first, second = load(tmp_path / "a", pickle.dumps((shared, shared), 4))
    assert first is second


def test_builders_of_the_allow_list_are_called(tmp_path: Path) -> None:
    content = pickle.dumps(OrderedDict(a=1), 2)
    allowed = {"collections.OrderedDict": Builder(lambda: {"made": True})}
    assert load(tmp_path / "a", content, allowed) == {"made": True, "a": 1}


class Hostile:
    """Runs code when Python unpickles it."""

    def __init__(self, call: Callable[..., Any], *arguments: object) -> None:
        self._made = (call, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self._made


def hostile_values(mark: Path) -> list[object]:
    """Return values each of which would make the file `mark`."""
    code = f"open({str(mark)!r}, 'w').close()"
    return [
        Hostile(os.system, f"touch {mark}"),
        Hostile(exec, code),
        Hostile(eval, f"open({str(mark)!r}, 'w')"),
        Hostile(os.mkdir, str(mark)),
        {"model": OrderedDict(weight=Hostile(exec, code))},
        [Hostile(__import__, "antigravity")],
    ]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("case", range(6))
def test_code_in_pickles_never_runs(tmp_path: Path, protocol: int, case: int) -> None:
    mark = tmp_path / "executed"
    content = pickle.dumps(hostile_values(mark)[case], protocol)
    for allowed in ({}, dict(paddle.ALLOWED), dict(zhongdao.ALLOWED)):
        with pytest.raises(InputError, match="run code"):
            load(tmp_path / "a", content, allowed)
    assert not mark.exists()


def test_the_hostile_values_are_hostile(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    pickle.loads(pickle.dumps(hostile_values(mark)[1]))
    assert mark.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cos\nsystem\n",
        b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R.",
        b"\x80\x02cnumpy\ndtype.__class__\n.",
    ],
)
def test_names_outside_the_allow_list_are_refused_at_once(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="trust"):
        load(tmp_path / "a", content, dict(paddle.ALLOWED))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04",
        b"\x80\x04.",
        b"\x80\x04K",
        b"\x80\x04R.",
        b"\x80\x04K\x01K\x02R.",
        b"\x80\x04u.",
        b"\x80\x04}(K\x01u.",
        b"\x80\x04h\x05.",
        b"\x80\x04q\x05.",
        b"\x80\x04K\x01Q.",
        b"\x80\x04K\x01)b.",
        b"\x80\x04I1\n.",
        b"\x80\x04\x81.",
        b"\x80\x04\x8c\xff.",
        b"\x80\x04\x8e" + b"\xff" * 8 + b".",
        b"\x80\x04\x8d" + b"\x7f" + bytes(7) + b".",
        b"\x80\x04\x8b\xff\xff\xff\x7f.",
        b"\x80\x04\x8c\x01\xff.",
        b"\x80\x04c" + b"x" * 9000 + b"\n.",
        b"\x80\x04}()K\x01u.",
    ],
)
def test_damaged_pickles_are_one_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"a: damaged weight file"):
        load(tmp_path / "a", content)


def test_small_instructions_cant_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pickled.MAX_INSTRUCTIONS <= 1_000_000
    monkeypatch.setattr(pickled, "MAX_INSTRUCTIONS", 500)
    with pytest.raises(InputError, match="too many"):
        load(tmp_path / "a", b"\x80\x04" + b"}" * 501 + b".")


def test_deep_tuples_are_no_keys(tmp_path: Path) -> None:
    deep = b"\x80\x04})" + b"\x85" * 2_000 + b"K\x01s."
    with pytest.raises(InputError, match="damaged"):
        load(tmp_path / "a", deep)


def test_far_memory_keys_take_no_memory(tmp_path: Path) -> None:
    assert load(tmp_path / "a", b"\x80\x04K\x07r\xff\xff\xff\xff0j\xff\xff\xff\xff.") == 7


def test_long_bytes_stay_in_the_file(tmp_path: Path) -> None:
    stream = io.BytesIO(pickle.dumps(b"x" * 10_000, 4))
    span = load(tmp_path / "a", stream.getvalue())
    assert (span.length, span.is_text) == (10_000, False)
