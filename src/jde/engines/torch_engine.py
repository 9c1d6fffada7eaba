import copy
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from jde.model.box_points import PointCells
from jde.model.head_maps import LevelMaps
from jde.model.joint_head import JointHead
from jde.model.layers import fuse_all
from jde.model.network import JDENet, head
from jde.structures.letterbox import Size

Precision = Literal["float32", "bfloat16", "float16"]
LevelTensors = tuple[Tensor, Tensor, Tensor]
"""Box deltas, objectness and what the embedding convolution reads, of one level."""


class TorchEngine:
    """Runs a network in PyTorch: convolutions fused with their normalisation, channels last.

    The embedding convolution is evaluated at the asked cells only.

    Args:
        network: Copied, so that the given one stays as it is.
        device: Where to run, such as `cpu` or `cuda:0`; `auto` takes a GPU where there is one.
        precision: Of weights and arithmetic; results are float32.
        threads: Of PyTorch, for the whole process; as they are where not given.
        compiled: Let PyTorch compile the network when the first pictures come, which takes about
            half a minute for each number and size of pictures; on a GPU it runs as one CUDA graph.
    """

    streams = 1
    takes_any_size = True

    def __init__(
        self,
        network: JDENet,
        *,
        device: str = "auto",
        precision: Precision = "float32",
        threads: int | None = None,
        compiled: bool = False,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.device = torch.device(resolve_device(device))
        self.precision = precision
        self._type: torch.dtype = getattr(torch, precision)
        self._network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        fuse_all(self._network)
        self._network.to(self.device, self._type, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._heads = [head(self._network, level) for level in range(len(self._network.heads))]
        self._compiled = compiled
        self._maps = compile_for(self.device, self._compute) if compiled else self._compute

    @property
    def name(self) -> str:
        """Name of the runtime, the device and the precision."""
        runtime = "torch-compiled" if self._compiled else "torch"
        return f"{runtime} {self.device.type} {self.precision}"

    @property
    def input_size(self) -> Size:
        """Width and height of the pictures it takes."""
        return self._network.config.input_size

    @torch.inference_mode()
    def __call__(self, images: UInt8[np.ndarray, "n h w 3"]) -> "TorchHeadMaps":
        """Return the head maps of RGB pictures of one size that it takes."""
        if self._compiled and self.device.type == "cuda":
            # From here on what the last call returned may be overwritten.
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        levels = self._maps(self._upload(images))
        return TorchHeadMaps(self._heads, levels, is_lent=self._compiled)

    def _compute(self, pixels: Tensor) -> list[LevelTensors]:
        """Return what the levels hold for 8-bit pictures on the device."""
        # A view of rows of RGB pixels is exactly PyTorch's channels-last layout.
        scaled = pixels.permute(0, 3, 1, 2).to(self._type).div_(255)
        return [
            (*one.detect(features.tip), features.route)
            for one, features in zip(self._heads, self._network.features(scaled), strict=True)
        ]

    def _upload(self, images: UInt8[np.ndarray, "n h w 3"]) -> Tensor:
        pixels = torch.from_numpy(images)
        if self.device.type == "cuda":  # Only from pinned memory the copy runs beside the caller.
            pixels = pixels.pin_memory()
        return pixels.to(self.device, non_blocking=True)


class TorchHeadMaps:
    """Head maps whose embeddings are computed on demand.

    Args:
        heads: Of the network.
        levels: What was computed.
        is_lent: Whether the next pictures may overwrite it, so that it has to be copied.
    """

    def __init__(
        self, heads: list[JointHead], levels: list[LevelTensors], *, is_lent: bool
    ) -> None:
        self._heads = heads
        self._routes = [route.clone() if is_lent else route for _, _, route in levels]
        self._levels = tuple(
            LevelMaps(to_numpy(box_deltas), to_numpy(objectness))
            for box_deltas, objectness, _ in levels
        )

    @property
    def levels(self) -> tuple[LevelMaps, ...]:
        """Boxes and objectness, coarse to fine."""
        return self._levels

    @torch.inference_mode()
    def embeddings(
        self,
        level: int,
        pictures: Int64[np.ndarray, " k"],
        rows: Int64[np.ndarray, " k"],
        columns: Int64[np.ndarray, " k"],
    ) -> Float32[np.ndarray, "k dim"]:
        """Return the embeddings of the cells: the convolution at these places only."""
        convolution = self._heads[level].embedding
        side = convolution.kernel_size[0]
        patches = cut_patches(self._routes[level], pictures, rows, columns, side)
        answers = torch.nn.functional.linear(
            patches.flatten(1), convolution.weight.flatten(1), convolution.bias
        )
        return to_numpy(answers)

    @torch.inference_mode()
    def point_embeddings(
        self, level: int, picture: int, cells: PointCells
    ) -> Float32[np.ndarray, "n dim"]:
        """Return the embeddings of boxes: of each point its part, and no other."""
        maps = self._routes[level][picture].permute(1, 2, 0)
        rows, columns, shares = (torch.from_numpy(each).to(maps.device) for each in cells)
        read = (maps[rows, columns].float() * shares[..., None]).sum(dim=2)
        convolution = self._heads[level].embedding
        kernel = convolution.weight.float().reshape(read.shape[1], -1, read.shape[2])
        answers = torch.einsum("npc,pdc->npd", read, kernel).flatten(1)
        return to_numpy(answers if convolution.bias is None else answers + convolution.bias)


def compile_for(
    device: torch.device, function: Callable[[Tensor], list[LevelTensors]]
) -> Callable[[Tensor], list[LevelTensors]]:
    """Return a function compiled for one number and size of pictures at a time.

    On a GPU its kernels are recorded as a CUDA graph and started by one call.
    """
    if device.type == "cuda":
        return torch.compile(function, dynamic=False, options={"triton.cudagraphs": True})
    return torch.compile(function, dynamic=False)


def cut_patches(
    maps: Tensor,
    pictures: Int64[np.ndarray, " k"],
    rows: Int64[np.ndarray, " k"],
    columns: Int64[np.ndarray, " k"],
    side: int,
) -> Tensor:
    """Return the surroundings (k, channels, side, side) of cells, zero beyond the border."""
    around = torch.arange(side, device=maps.device)
    which, down, across = (
        torch.from_numpy(axis).to(maps.device) for axis in (pictures, rows, columns)
    )
    y = down[:, None, None] + around[:, None] - side // 2
    x = across[:, None, None] + around[None, :] - side // 2
    height, width = maps.shape[2:]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    patches = maps.permute(0, 2, 3, 1)[
        which[:, None, None], y.clamp(0, height - 1), x.clamp(0, width - 1)
    ]
    return (patches * inside[..., None]).permute(0, 3, 1, 2)


def to_numpy(values: Tensor) -> np.ndarray:
    """Return a float32 array in memory."""
    return values.float().cpu().numpy()


def resolve_device(device: str) -> str:
    """Return the device that `auto` stands for."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
