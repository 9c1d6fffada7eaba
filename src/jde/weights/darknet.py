"""Darknet's weight files: a short header and bare numbers; only the exact size tells networks."""

import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from jde.formats.draft import replacing
from jde.model.presets import darknet53
from jde.structures.errors import InputError
from jde.weights import name_map
from jde.weights.checkpoint import Checkpoint, blank_network
from jde.weights.weight_file import Shape, StoredTensor, WeightFile

VERSION = "<iii"
WIDE_COUNTER, NARROW_COUNTER = 20, 16
"""Lengths of the header, with 8 or 4 bytes for the number of pictures seen."""

NUMBER_BYTES = 4
IMAGENET_CLASSES = 1000
YOLO_ANCHORS = 3
YOLO_BOX_NUMBERS = 5
YOLO_CHANNELS = (1024, 512, 256)
"""Channels before the three last convolutions of YOLOv3."""

HEADER = struct.pack("<iiiq", 0, 2, 0, 0)
"""Version 0.2.0, which counts pictures in 8 bytes; none were seen."""


class Place(NamedTuple):
    """Where a tensor's numbers come in the file, counted in numbers behind the header."""

    name: str
    shape: Shape
    start: int
    end: int


def read_darknet(file: WeightFile) -> dict[str, StoredTensor]:
    """Return the tensors of a whole JDE network or of a backbone, by the authors' names.

    Raises:
        InputError: The size is that of no known network.
    """
    header, places = find_layout(file)
    return {
        place.name: file.stored(header + place.start * NUMBER_BYTES, torch.float32, place.shape)
        for place in places
    }


def is_darknet_size(size: int) -> bool:
    """Return whether a file of this many bytes may hold a backbone or a whole network."""
    return any(
        (size - header) % NUMBER_BYTES == 0 and match_count((size - header) // NUMBER_BYTES)
        for header in (WIDE_COUNTER, NARROW_COUNTER)
    )


def find_layout(file: WeightFile) -> tuple[int, list[Place]]:
    """Return the length of the header and the places of the tensors.

    The header's version says how long it is, but the size decides, since some writers got the
    version wrong.

    Raises:
        InputError: The size is that of no known network.
    """
    with file.trusting():
        major, minor, _ = struct.unpack(VERSION, file.read(0, struct.calcsize(VERSION)))
    lengths = [WIDE_COUNTER, NARROW_COUNTER]
    if major * 10 + minor < 2:  # noqa: PLR2004 (Darknet's rule: from 0.2 on)
        lengths.reverse()
    for header in lengths:
        if (file.size - header) % NUMBER_BYTES == 0:
            places = match_count((file.size - header) // NUMBER_BYTES)
            if places:
                return header, places
    expected = WIDE_COUNTER + NUMBER_BYTES * backbone_places()[-1].end
    raise InputError(
        f"{file.path}: {file.size} bytes are neither a DarkNet-53 backbone ({expected} bytes) nor "
        "a whole network; the file is cut, or of another network"
    )


def match_count(count: int) -> list[Place]:
    """Return the places of the network that has this many numbers; none if there is no such."""
    backbone, whole = backbone_places(), network_places()
    if count == whole[-1].end:
        return whole
    classifier = IMAGENET_CLASSES * (YOLO_CHANNELS[0] + 1)
    if count in {backbone[-1].end, backbone[-1].end + classifier} or is_yolo(count, whole):
        return backbone
    return []


def is_yolo(count: int, whole: list[Place]) -> bool:
    """Return whether YOLOv3 has this many numbers for some number of classes.

    It has JDE's convolutions with normalisation, and three others of its own.
    """
    normalised = sum(place.end - place.start for place in whole if ".conv_" not in place.name)
    kernels = {
        names.zhongdao for names in name_map.network_names() if names.ours.endswith("conv.weight")
    }
    normalised += sum(place.end - place.start for place in whole if place.name in kernels)
    per_output = sum(YOLO_CHANNELS) + len(YOLO_CHANNELS)
    outputs, rest = divmod(count - normalised, per_output)
    return rest == 0 and outputs > YOLO_ANCHORS * YOLO_BOX_NUMBERS and outputs % YOLO_ANCHORS == 0


@cache
def backbone_places() -> list[Place]:
    """Return the places of DarkNet-53's tensors."""
    return lay_out(list(name_map.backbone_convolutions()))


@cache
def network_places() -> list[Place]:
    """Return the places of the tensors of a whole JDE network."""
    convolutions = [*name_map.backbone_convolutions(), *name_map.neck_convolutions()]
    return lay_out(sorted(convolutions, key=lambda convolution: convolution.position))


def lay_out(convolutions: list[name_map.Convolution]) -> list[Place]:
    """Return the places of tensors in Darknet's order: beta, gamma, statistics, kernel."""
    model = blank_network(darknet53()).state_dict()
    places: list[Place] = []
    start = 0
    for convolution in convolutions:
        kernel, *vectors = name_map.tensor_names(convolution)
        if len(vectors) > 1:
            gamma, beta, *statistics = vectors
            vectors = [beta, gamma, *statistics]
        for names in (*vectors, kernel):
            shape = tuple(model[names.ours].shape)
            end = start + model[names.ours].numel()
            places.append(Place(names.zhongdao, shape, start, end))
            start = end
    return places


def write_darknet(path: Path, checkpoint: Checkpoint) -> None:
    """Write the backbone as `darknet53.conv.74`.

    Raises:
        InputError: The network has another backbone.
    """
    if checkpoint.config.architecture != "darknet53":
        raise InputError(f"a {checkpoint.config.architecture!r} network has no DarkNet-53 backbone")
    ours = {names.zhongdao: names.ours for names in name_map.backbone_names()}
    with replacing(path) as draft, draft.open("wb") as file:
        file.write(HEADER)
        for place in backbone_places():
            tensor: Tensor = checkpoint.network[ours[place.name]].detach()
            file.write(tensor.to("cpu", torch.float32).contiguous().numpy().tobytes())
