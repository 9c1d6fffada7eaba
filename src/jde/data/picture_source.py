from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from jde.data.picture_reading import read_for_network
from jde.data.sample import Labels, Sample
from jde.structures.errors import InputError
from jde.structures.letterbox import Size


class Annotation(NamedTuple):
    """The people of one picture file.

    Attributes:
        picture: The file.
        shares: Corner boxes divided by the width and height of the picture.
        identities: Identity of each person; -1 where unknown.
        classes: Number of the class of each; None where all are of the first.
    """

    picture: Path
    shares: Float64[np.ndarray, "n 4"]
    identities: Int64[np.ndarray, " n"]
    classes: Int64[np.ndarray, " n"] | None = None


@dataclass(frozen=True, slots=True)
class PictureSource:
    """Picture files with their people in memory, in few arrays that processes share cheaply.

    Attributes:
        name: What reports call the source.
        pictures: The files.
        shares: Corner boxes of all pictures, divided by width and height.
        identities: Identity of every box; -1 where unknown.
        starts: First box of every picture, and the number of all boxes.
        identity_count: Number of identities.
        classes: Number of the class of every box.
        identity_names: What cut-outs of each identity are called; empty where nobody says.
        size: Width and height that every picture must have; None accepts any.
        network: Size that pictures are read for: big ones are decoded at half their size or less.
            None decodes every pixel.
    """

    name: str
    pictures: tuple[Path, ...]
    shares: Float64[np.ndarray, "m 4"]
    identities: Int64[np.ndarray, " m"]
    starts: Int64[np.ndarray, " starts"]
    identity_count: int
    classes: Int64[np.ndarray, " m"]
    identity_names: tuple[str, ...] = ()
    size: Size | None = None
    network: Size | None = None

    @classmethod
    def of(
        cls,
        name: str,
        annotations: Iterable[Annotation],
        *,
        identity_names: tuple[str, ...] = (),
        size: Size | None = None,
        network: Size | None = None,
    ) -> "PictureSource":
        """Return the source that holds `annotations`.

        Raises:
            InputError: There is no picture.
        """
        kept = list(annotations)
        if not kept:
            raise InputError(f"{name}: holds no picture")
        identities = np.concatenate([one.identities for one in kept])
        counts: Sequence[int] = [len(one.identities) for one in kept]
        return cls(
            name=name,
            pictures=tuple(one.picture for one in kept),
            shares=np.concatenate([one.shares for one in kept]),
            identities=identities,
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            # Numbers that nobody wears are unused rows of the classifier, as in the reference.
            identity_count=int(identities.max(initial=-1)) + 1,
            classes=np.concatenate(
                [
                    np.zeros_like(one.identities) if one.classes is None else one.classes
                    for one in kept
                ]
            ),
            identity_names=identity_names,
            size=size,
            network=network,
        )

    def __len__(self) -> int:
        return len(self.pictures)

    def load(self, index: int, rng: np.random.Generator) -> Sample:  # noqa: ARG002 (for sources that draw)
        """Return picture `index` with its people.

        Raises:
            InputError: The picture can't be read or has another size than it must.
        """
        path = self.pictures[index]
        image, whole = read_for_network(path, self.network)
        if self.size not in {None, whole}:
            raise InputError(f"{path}: is {_times(whole)} where {_times(self.size)} belongs")
        height, width = image.shape[:2]
        rows = slice(self.starts[index], self.starts[index + 1])
        boxes = self.shares[rows] * np.array([width, height, width, height])
        labels = Labels(boxes.astype(np.float32), self.identities[rows], self.classes[rows])
        return Sample(image, labels, path)


def _times(size: Size | None) -> str:
    return "x".join(map(str, size or ()))
