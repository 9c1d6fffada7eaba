from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jde.data.sample import UNKNOWN_IDENTITY, Labels, Sample, Source
from jde.data.scenes.composition import ComposedScene
from jde.data.scenes.cutouts import Cutouts
from jde.data.scenes.source import LEAST_VISIBLE

MOST_TIMES = 4
"""A picture holds at most so many times the average number of people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedSource:
    """Cut-out people in labelled pictures, as training data.

    The identities are those of the cut-outs, and in a joint set those of the sequences that they
    were cut from; people who are in the backgrounds keep their boxes and train the detector alone.

    Attributes:
        cutouts: Who is put in.
        backgrounds: Where to: pictures in which everybody is labelled.
        seed: Decides, with the index, each picture.
        length: Number of pictures.
        size: Width and height in pixels.
        people: How many people are put in on average.
        fresh: Compose another picture at every call instead of one fixed picture for each index.
    """

    cutouts: Cutouts
    backgrounds: Source
    seed: int
    length: int
    size: tuple[int, int] = (576, 320)
    people: int = 7
    fresh: bool = False

    @property
    def name(self) -> str:
        """What reports call the source."""
        return f"composed-{self.seed}"

    @property
    def identity_count(self) -> int:
        """Number of identities: labels hold values below it."""
        return len(self.cutouts)

    @property
    def borrowed_names(self) -> tuple[str, ...]:
        """Where each identity was cut from, as sources that know their people name them."""
        return self.cutouts.names

    def __len__(self) -> int:
        return self.length

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Return picture `index`; `rng` is used only by a fresh source."""
        chance = rng if self.fresh else np.random.default_rng([self.seed, index])
        background = self.backgrounds.load(int(chance.integers(len(self.backgrounds))), chance)
        scene = ComposedScene(
            cutouts=self.cutouts,
            background=background,
            seed=int(chance.integers(1 << 62)),
            size=self.size,
            people=int(min(chance.geometric(1 / self.people), MOST_TIMES * self.people)),
        )
        (drawn,) = scene.frames(1)
        known = np.where(drawn.identities < len(self.cutouts), drawn.identities, UNKNOWN_IDENTITY)
        # Cut-outs are people; who follows them is somebody, or something, of the background.
        kinds = np.concatenate([np.zeros(len(self.cutouts), np.int64), background.labels.classes])
        labels = Labels(drawn.boxes, known.astype(np.int64), kinds[drawn.identities])
        return Sample(
            drawn.frame.image,
            labels.where(drawn.visibility >= LEAST_VISIBLE),
            Path(f"{self.name}/{index:06d}.composed"),
        )
