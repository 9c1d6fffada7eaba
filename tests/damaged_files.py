"""Small weight files of every format, and ways in which files get damaged."""

import io
import os
import pickle
import random
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from jde.model.presets import PRESETS
from jde.weights.mindspore import spell_field, spell_varint, write_records

MUTATIONS = int(os.environ.get("JDE_MUTATIONS", "300"))
"""Damaged files per reader; 10,000 before a release."""

TELLING = (0x00, 0x01, 0x2E, 0x51, 0x52, 0x62, 0x63, 0x7F, 0x80, 0x8A, 0x94, 0xFE, 0xFF)
"""Bytes that mean something in one format or another."""


def tensors() -> "OrderedDict[str, torch.Tensor]":
    """Return a few tensors under names of the authors' program."""
    generator = torch.Generator().manual_seed(5)
    return OrderedDict(
        (name, torch.randn(shape, generator=generator))
        for name, shape in {
            "module_list.0.conv_0.weight": (4, 3, 3, 3),
            "module_list.0.batch_norm_0.weight": (4,),
            "module_list.0.batch_norm_0.running_var": (4,),
            "module_list.85.yolo_85.s_c": (1,),
            "classifier.weight": (5, 8),
        }.items()
    )


def zhongdao_archive() -> bytes:
    """Return a checkpoint as PyTorch writes it now."""
    stream = io.BytesIO()
    torch.save({"epoch": 3, "model": tensors(), "optimizer": optimizer()}, stream)
    return stream.getvalue()


def zhongdao_legacy() -> bytes:
    """Return a checkpoint as PyTorch wrote it before 1.6."""
    stream = io.BytesIO()
    value = {"epoch": 3, "model": tensors(), "optimizer": optimizer()}
    torch.save(value, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def optimizer() -> dict[str, object]:
    """Return what a checkpoint carries besides its weights."""
    state = {0: {"momentum_buffer": torch.ones(4)}, 1: {"momentum_buffer": None}}
    return {"state": state, "param_groups": [{"lr": 0.01, "nesterov": False, "params": [0, 1]}]}


def paddle(protocol: int = 4) -> bytes:
    """Return a checkpoint of Paddle."""
    arrays: dict[str, object] = {name: tensor.numpy() for name, tensor in tensors().items()}
    arrays["big"] = np.arange(3000, dtype=np.float32)
    arrays["StructuredToParameterName@@"] = {"big": "conv2d_0.w_0"}
    return pickle.dumps(arrays, protocol=protocol)


def mindspore(path: Path) -> bytes:
    """Return a checkpoint of MindSpore, with packed and plain axis lengths and a checksum."""
    write_records(path, tensors())
    packed = spell_field(1, spell_varint(2) + spell_varint(2)) + spell_field(2, b"Float16")
    packed += spell_field(3, np.ones(4, np.float16).tobytes())
    record = spell_field(1, spell_field(1, b"half") + spell_field(2, packed))
    content = path.read_bytes() + record + b"crc_num" + struct.pack(">10s", b"123")
    path.unlink()
    return content


def native() -> bytes:
    """Return a native file with few tensors."""
    config = PRESETS["jde-nano"].to_json()
    return save(dict(tensors()), {"jde.config": config, "jde.format_version": "1"})


def damage(content: bytes, chance: random.Random) -> bytes:
    """Return a file with one to four faults."""
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        # Half of the faults hit the head, where formats say what follows.
        reach = len(damaged) if chance.random() < 0.5 else min(len(damaged), 400)
        place = chance.randrange(max(1, reach))
        kind = chance.randrange(6)
        if kind == 0:
            damaged[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            damaged[place : place + 1] = bytes([chance.choice(TELLING)])
        elif kind == 2:
            damaged[place:place] = chance.randbytes(chance.randint(1, 9))
        elif kind == 3:
            del damaged[place : place + chance.randint(1, 64)]
        elif kind == 4:
            damaged[place : place + 8] = b"\xff" * chance.choice([2, 4, 8])
        else:
            del damaged[place:]
    return bytes(damaged)
