import io
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from jde.structures.errors import InputError
from jde.weights.name_map import backbone_names
from jde.weights.weight_file import WeightFile
from jde.weights.zhongdao import read_zhongdao

CUT_PLACES = range(0, 2000, 97)


def save(path: Path, value: Any, *, is_legacy: bool = False) -> None:
    torch.save(value, path, _use_new_zipfile_serialization=not is_legacy)


def read(path: Path) -> dict[str, Tensor]:
    with WeightFile(path) as file:
        return {name: stored.load() for name, stored in read_zhongdao(file).items()}


@pytest.mark.parametrize("is_legacy", [False, True])
def test_tensors_of_every_kind_are_read_bit_by_bit(tmp_path: Path, *, is_legacy: bool) -> None:
    base = torch.arange(24.0).reshape(2, 3, 4)
    model = OrderedDict(
        plain=base,
        half=base.half(),
        brain=base.bfloat16(),
        double=base.double(),
        count=torch.tensor(7),
        turned=base.permute(2, 0, 1),
        part=base[1, :, 1:3],
        tied=base,
        parameter=nn.Parameter(base.clone()),
        empty=torch.zeros(0, 4),
        flags=torch.tensor([True, False]),
    )
    path = tmp_path / "a.pt"
    save(path, {"epoch": 1, "model": model, "optimizer": []}, is_legacy=is_legacy)
    found = read(path)
    assert found.keys() == model.keys()
    for name, tensor in model.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor.detach()), name


@pytest.mark.parametrize("is_legacy", [False, True])
@pytest.mark.parametrize("place", ["model", "state_dict", None])
def test_weights_are_found_wherever_programs_put_them(
    tmp_path: Path, place: str | None, *, is_legacy: bool
) -> None:
    path = tmp_path / "a.pt"
    weights = {"weight": torch.ones(3)}
    save(path, weights if place is None else {place: weights, "epoch": 2}, is_legacy=is_legacy)
    assert torch.equal(read(path)["weight"], torch.ones(3))


def test_a_whole_module_is_refused_without_building_it(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    save(path, {"model": nn.Linear(2, 2)})
    with pytest.raises(InputError, match=r"asks for 'torch\.nn\.modules"):
        read(path)


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("is_legacy", [False, True])
def test_code_in_a_checkpoint_never_runs(tmp_path: Path, *, is_legacy: bool) -> None:
    path, mark = tmp_path / "a.pt", tmp_path / "executed"
    save(path, {"model": {"weight": torch.ones(2), "x": Hostile(mark)}}, is_legacy=is_legacy)
    with pytest.raises(InputError, match="trust"):
        read(path)
    assert not mark.exists()
    # The same file does run code where nobody looks.
    torch.load(path, weights_only=False)
    assert mark.exists()


@pytest.mark.parametrize("is_legacy", [False, True])
def test_a_cut_checkpoint_is_one_error_wherever_it_ends(tmp_path: Path, *, is_legacy: bool) -> None:
    path = tmp_path / "a.pt"
    save(path, {"model": {"weight": torch.ones(400)}}, is_legacy=is_legacy)
    content = path.read_bytes()
    for length in CUT_PLACES:
        path.write_bytes(content[: min(length, len(content) - 1)])
        with pytest.raises(InputError, match=r"a\.pt: "):
            read(path)


def test_numbers_that_the_archive_lacks_are_an_error(tmp_path: Path) -> None:
    stream = io.BytesIO()
    torch.save({"model": {"weight": torch.ones(4)}}, stream)
    path = tmp_path / "a.pt"
    path.write_bytes(stream.getvalue().replace(b"data/0", b"data/7"))
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_a_file_without_tensors_says_where_they_are_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    save(path, {"epoch": 3})
    with pytest.raises(InputError, match="state_dict"):
        read(path)


@pytest.mark.parametrize("has_classifier", [False, True])
def test_an_imagenet_darknet_is_matched_by_position(
    tmp_path: Path, *, has_classifier: bool
) -> None:
    names = backbone_names()
    state: OrderedDict[str, Tensor] = OrderedDict()
    for position, name in enumerate(names):
        is_kernel = name.ours.endswith("conv.weight")
        shape: tuple[int, ...] = (1,)
        if is_kernel:
            shape = (64, 32, 3, 3) if "stages.0.0" in name.ours else (1, 1, 1, 1)
        state[f"layer.{position}"] = torch.full(shape, float(position))
        if name.ours.endswith("running_var"):
            state[f"layer.{position}.num_batches_tracked"] = torch.tensor(1)
    if has_classifier:
        state["fc.weight"], state["fc.bias"] = torch.ones(2, 1), torch.ones(2)
    path = tmp_path / "a.pth"
    save(path, {"state_dict": state})
    found = read(path)
    assert list(found) == [name.zhongdao for name in names]
    assert found["module_list.73.batch_norm_73.running_var"].item() == len(names) - 1


def test_numpy_numbers_beside_the_weights_are_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    save(path, {"model": {"weight": torch.ones(3)}, "best": np.float64(0.5)})
    assert torch.equal(read(path)["weight"], torch.ones(3))
