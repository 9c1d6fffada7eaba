"""The authors' checkpoints (.pt), as `torch.save` writes them: a zip archive, once a pickle."""

import math
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from jde.formats.draft import replacing, writing
from jde.structures.errors import InputError
from jde.weights import name_map, paddle
from jde.weights.checkpoint import BATCH_COUNTER, Checkpoint
from jde.weights.conversion import to_theirs
from jde.weights.pickled import Builder, PickleReader, as_text, plain_key
from jde.weights.weight_file import DamagedError, Shape, StoredTensor, WeightFile

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
ZIP_START = b"PK\x03\x04"
LOCAL_HEADER = "<26xHH"
"""The end of a zip entry's own header: lengths of its name and of its extra field."""

STORAGES = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
"""Kinds of numbers by the first part of the name of PyTorch's storage class."""

MAX_AXES = 8
CLASSIFIER_TENSORS = 2
TENSORS_PER_CONVOLUTION = 5
SECOND_KERNEL = (64, 32, 3, 3)
"""Shape of DarkNet-53's second convolution."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers that tensors view."""

    key: str
    dtype: torch.dtype
    length: int


@dataclass(frozen=True, slots=True)
class View:
    """A tensor as the pickle describes it."""

    storage: Storage
    offset: int
    shape: Shape
    strides: Shape


def view_storage(
    storage: Any, offset: int, shape: Sequence[int], strides: Sequence[int], *_rest: Any
) -> View:
    """Return the view that PyTorch would rebuild.

    Raises:
        DamagedError: It would reach outside its storage.
    """
    shape, strides = tuple(shape), tuple(strides)
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or not len(shape) == len(strides) <= MAX_AXES:
        raise DamagedError
    if any(not isinstance(number, int) or number < 0 for number in numbers):
        raise DamagedError
    reach = sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    count = math.prod(shape)
    if count > storage.length or (count and offset + reach >= storage.length):
        raise DamagedError
    return View(storage, offset, shape, strides)


def recall_storage(identity: Any) -> Storage:
    """Return the storage that a persistent identity names.

    Raises:
        DamagedError: It names something else.
    """
    if not isinstance(identity, tuple) or as_text(identity[0]) != "storage":
        raise DamagedError
    dtype, key, length = identity[1], as_text(identity[2]), identity[4]
    is_view = len(identity) > 5 and identity[5] is not None  # noqa: PLR2004 (place of a view)
    if is_view or not (isinstance(dtype, torch.dtype) and isinstance(length, int)):
        raise DamagedError
    return Storage(key, dtype, length)


def build_ordered(pairs: Any = ()) -> dict[Any, Any]:
    """Return the dictionary of pairs."""
    return {plain_key(key): value for key, value in pairs}


ALLOWED: Mapping[str, Any] = {
    **paddle.ALLOWED,
    "collections.OrderedDict": Builder(build_ordered),
    "torch._utils._rebuild_tensor_v2": Builder(view_storage),
    "torch._utils._rebuild_tensor": Builder(view_storage),
    "torch._utils._rebuild_parameter": Builder(lambda view, *_rest: view),
    "torch.Size": Builder(tuple),
    **{f"torch.{name}Storage": dtype for name, dtype in STORAGES.items()},
}


def read_zhongdao(file: WeightFile) -> dict[str, StoredTensor]:
    """Return the model's tensors by the authors' names.

    Files of an ImageNet DarkNet-53 that names its tensors otherwise are matched by position.

    Raises:
        InputError: The file is damaged, asks to run code, or holds no weights.
    """
    with file.trusting():
        is_archive = file.read(0, len(ZIP_START)) == ZIP_START
        value, places = read_archive(file) if is_archive else read_legacy(file)
        views = find_weights(value, file)
        stored = {name: place_view(view, places, file) for name, view in views.items()}
    return match_by_position(stored) or stored


Places = Mapping[str, tuple[int, int]]
"""Where the numbers of each storage begin, and how many bytes they have."""


def read_archive(file: WeightFile) -> tuple[Any, Places]:
    """Return the value of the archive's pickle and the places of its storages."""
    places = find_entries(file)
    pickles = [name for name in places if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise InputError(f"{file.path}: a zip archive, but not one of PyTorch: no data.pkl")
    start, length = places[pickles[0]]
    reader = PickleReader(file, ALLOWED, recall=recall_storage, start=start, end=start + length)
    folder = pickles[0].removesuffix("data.pkl") + "data/"
    value = reader.load()
    return value, {
        name.removeprefix(folder): place for name, place in places.items() if name != pickles[0]
    }


def find_entries(file: WeightFile) -> Places:
    """Return where the contents of each entry of a zip archive lie.

    Raises:
        DamagedError: The archive is cut or compressed.
    """
    places = {}
    with zipfile.ZipFile(file.path) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED:
                raise DamagedError("compressed, which PyTorch never does")
            header = file.read(entry.header_offset, struct.calcsize(LOCAL_HEADER))
            start = entry.header_offset + len(header) + sum(struct.unpack(LOCAL_HEADER, header))
            if start + entry.file_size > file.size:
                raise DamagedError("the end is missing")
            places[entry.filename] = (start, entry.file_size)
    return places


def read_legacy(file: WeightFile) -> tuple[Any, Places]:
    """Return the value and the places of the storages of a file from before PyTorch 1.6.

    Four pickles come first (magic number, version, machine, value), then one with the keys of the
    storages, then for each its length and its numbers.
    """
    storages: dict[str, Storage] = {}

    def recall(identity: Any) -> Storage:
        storage = recall_storage(identity)
        return storages.setdefault(storage.key, storage)

    reader = PickleReader(file, ALLOWED, recall=recall)
    if reader.load() != LEGACY_MAGIC:
        raise InputError(f"{file.path}: a pickle, but neither of PyTorch nor of Paddle")
    reader.load()
    reader.load()
    value = reader.load()
    keys = reader.load()
    position, places = reader.position, {}
    for key in keys if isinstance(keys, list) else []:
        length = struct.unpack("<q", file.read(position, 8))[0]
        storage = storages[as_text(key)]
        if storage.length != length:
            raise DamagedError("a storage of another length")
        places[storage.key] = (position + 8, length * storage.dtype.itemsize)
        position += 8 + length * storage.dtype.itemsize
    return value, places


def find_weights(value: Any, file: WeightFile) -> dict[str, View]:
    """Return the tensors below `model` or `state_dict`, or those on top.

    Raises:
        InputError: There is none.
    """
    candidates = [value]
    if isinstance(value, dict):
        candidates = [value.get("model"), value.get("state_dict"), value]
    for candidate in candidates:
        if isinstance(candidate, dict):
            views = {key: view for key, view in candidate.items() if isinstance(view, View)}
            if views:
                return {str(key): view for key, view in views.items()}
    raise InputError(
        f"{file.path}: holds no weights: no tensors under 'model', under 'state_dict' or on top"
    )


def place_view(view: View, places: Places, file: WeightFile) -> StoredTensor:
    """Return the tensor of a view.

    Raises:
        DamagedError: The file lacks its storage, or part of it.
    """
    storage = view.storage
    if storage.key not in places:
        raise DamagedError
    start, length = places[storage.key]
    if storage.length * storage.dtype.itemsize > length:
        raise DamagedError
    if view.strides == row_strides(view.shape):
        offset = start + view.offset * storage.dtype.itemsize
        return file.stored(offset, storage.dtype, view.shape)

    def load() -> Tensor:
        numbers = file.tensor(start, storage.dtype, (storage.length,))
        return numbers.as_strided(view.shape, view.strides, view.offset).contiguous()

    return StoredTensor(view.shape, storage.dtype, load)


def row_strides(shape: Shape) -> Shape:
    """Return the strides of numbers that lie row by row."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def match_by_position(stored: Mapping[str, StoredTensor]) -> dict[str, StoredTensor] | None:
    """Return the tensors of a DarkNet-53 of other names under the authors', or None.

    Such files hold, in order, the kernel and four vectors of each convolution, and in the end the
    two tensors of a classifier (specification, section 14.6).
    """
    names = [names.zhongdao for names in name_map.backbone_names()]
    tensors = {name: tensor for name, tensor in stored.items() if not name.endswith(BATCH_COUNTER)}
    if any("module_list" in name for name in tensors):
        return None
    if len(tensors) not in {len(names), len(names) + CLASSIFIER_TENSORS}:
        return None
    # Another network may have as many tensors: MobileNetV2 does.
    second = list(tensors.values())[TENSORS_PER_CONVOLUTION]
    if second.shape != SECOND_KERNEL:
        return None
    matched = dict(zip(names, tensors.values(), strict=False))
    kernels = list(matched.values())[::TENSORS_PER_CONVOLUTION]
    is_kernel_first = all(len(kernel.shape) == 4 for kernel in kernels)  # noqa: PLR2004 (O, I, H, W)
    return matched if is_kernel_first else None


def write_zhongdao(path: Path, checkpoint: Checkpoint) -> None:
    """Write the layout of the authors' program, which loads it as if it had trained it.

    Raises:
        InputError: The network isn't the published one.
    """
    model: OrderedDict[str, Tensor] = OrderedDict()
    tensors = to_theirs(checkpoint, "zhongdao")
    counters = {
        names.zhongdao: names
        for names in name_map.network_names()
        if names.ours.endswith("running_var")
    }
    for name, tensor in tensors.items():
        model[name] = tensor
        if name in counters:
            ours = counters[name].ours.replace("running_var", BATCH_COUNTER)
            counter = checkpoint.network.get(ours, torch.zeros((), dtype=torch.int64))
            model[name.replace("running_var", BATCH_COUNTER)] = counter.detach().cpu()
    # Only of a file that is open does torch tell why it couldn't write.
    with replacing(path) as draft, writing(path, RuntimeError), draft.open("wb") as file:
        torch.save({"epoch": 0, "model": model, "optimizer": []}, file)
