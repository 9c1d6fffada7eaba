from dataclasses import dataclass, replace

import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures of one size with the people in them, ready for the network.

    Attributes:
        images: RGB pixels.
        boxes: Centre boxes (cx, cy, w, h) in pixels of the network's input, of all pictures.
        identities: Identity of each person over all sources; -1 where unknown.
        picture: Row of `images` in which each person stands.
        names: Where each picture came from.
        faults: What was wrong with pictures that others in this batch stand in for.
        views: How many pictures in a row show one picture, each changed in another way.
        people: Number of each person, the same in all views; None where there is one view.
    """

    images: UInt8[Tensor, "n 3 height width"]
    boxes: Float32[Tensor, "m 4"]
    identities: Int64[Tensor, " m"]
    picture: Int64[Tensor, " m"]
    names: tuple[str, ...]
    faults: tuple[str, ...] = ()
    views: int = 1
    people: Int64[Tensor, " m"] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch on `device`; copies from pinned memory don't wait."""
        return replace(
            self,
            images=self.images.to(device, non_blocking=True),
            boxes=self.boxes.to(device, non_blocking=True),
            identities=self.identities.to(device, non_blocking=True),
            picture=self.picture.to(device, non_blocking=True),
            people=None if self.people is None else self.people.to(device, non_blocking=True),
        )

    def pin_memory(self) -> "Batch":
        """Return the batch in page-locked memory."""
        return replace(
            self,
            images=self.images.pin_memory(),
            boxes=self.boxes.pin_memory(),
            identities=self.identities.pin_memory(),
            picture=self.picture.pin_memory(),
            people=None if self.people is None else self.people.pin_memory(),
        )
