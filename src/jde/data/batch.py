from dataclasses import dataclass, field, replace

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
        classes: Number of the class of each person; 0 for all where none is given.
    """

    images: UInt8[Tensor, "n 3 height width"]
    boxes: Float32[Tensor, "m 4"]
    identities: Int64[Tensor, " m"]
    picture: Int64[Tensor, " m"]
    names: tuple[str, ...]
    faults: tuple[str, ...] = ()
    views: int = 1
    people: Int64[Tensor, " m"] | None = None
    classes: Int64[Tensor, " k"] = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))

    def __post_init__(self) -> None:
        if not len(self.classes):
            object.__setattr__(self, "classes", torch.zeros_like(self.identities))

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
            classes=self.classes.to(device, non_blocking=True),
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
            classes=self.classes.pin_memory(),
        )
