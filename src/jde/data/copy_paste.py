"""Cut-out people put into ordinary training pictures, with those in them kept apart by depth."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Int64

from jde.data.sample import UNKNOWN_IDENTITY, Labels, Sample
from jde.data.scenes.camera import PERSON
from jde.data.scenes.composition import place_people, uncovered
from jde.data.scenes.cutouts import Cutouts
from jde.data.scenes.figure import Place
from jde.data.scenes.pasting import fit_cutout
from jde.data.scenes.perspective import Perspective
from jde.data.scenes.source import LEAST_VISIBLE
from jde.data.scenes.sprite import Sprite, paste, visible_fractions
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

PERSON_CLASS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPasteConfig:
    """People put into pictures of all sources; off without a folder of cut-outs."""

    cutouts: str = ""
    """Folder that `jde cutouts` wrote; may hold variables of the environment."""
    probability: float = 0.5
    """Share of the pictures that people are put into."""
    people: tuple[int, int] = (1, 4)
    """Fewest and most people put into a picture."""

    def __post_init__(self) -> None:
        low, high = self.people
        if not 0 < low <= high:
            raise InputError(f"people must be two rising numbers from 1 on, got {low} {high}")
        if not 0 <= self.probability <= 1:
            raise InputError(f"probability must lie from 0 to 1, got {self.probability:g}")


@dataclass(frozen=True, slots=True)
class CopyPaste:
    """Puts people into samples, before anything else is changed.

    They stand where the perspective of those who are there puts them, the nearer before the
    farther, and nobody is put over somebody who stands nearer. Whose labelled box is painted over
    but for 15 % of what was in the picture loses the label; all others keep the whole box.

    Attributes:
        config: How many, how often.
        cutouts: Who.
        numbers: Identity of people by the name of their cut-outs; others train the detector alone.
    """

    config: CopyPasteConfig
    cutouts: Cutouts
    numbers: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with people put in, or as it is."""
        if rng.random() >= self.config.probability:
            return sample
        size = (sample.image.shape[1], sample.image.shape[0])
        count = int(rng.integers(self.config.people[0], self.config.people[1] + 1))
        there = sample.labels
        standing = there.boxes[there.classes == PERSON_CLASS]
        perspective = Perspective.of_people(standing, size) or Perspective.draw(rng, size)
        placed = place_people(rng, self.cutouts, count, perspective, there.boxes, size=size)
        placed.sort(key=lambda walker: walker.foot)
        canvas, sprites = sample.image.copy(), list[Sprite]()
        for walker in placed:
            place = Place(walker.x, walker.foot, walker.height / PERSON)
            sprites.append(fit_cutout(walker.views[0], place, walker.height, walker.fit, canvas))
            paste(canvas, sprites[-1])
        people = np.array([walker.identity for walker in placed], np.int64)
        return replace(sample, image=canvas, labels=self._label(there, people, sprites, size))

    def _label(
        self, there: Labels, people: Int64[np.ndarray, " n"], sprites: list[Sprite], size: Size
    ) -> Labels:
        before = uncovered(there.boxes, [], size)
        kept = there.where(uncovered(there.boxes, sprites, size) >= LEAST_VISIBLE * before)
        seen = [
            (self._number(who), box)
            for who, sprite, share in zip(
                people.tolist(), sprites, visible_fractions(sprites, size), strict=True
            )
            if share >= LEAST_VISIBLE and (box := sprite.box)
        ]
        return Labels(
            np.concatenate([kept.boxes, np.array([b for _, b in seen], np.float32).reshape(-1, 4)]),
            np.concatenate([kept.identities, np.array([n for n, _ in seen], np.int64)]),
            np.concatenate([kept.classes, np.full(len(seen), PERSON_CLASS, np.int64)]),
        )

    def _number(self, person: int) -> int:
        return self.numbers.get(self.cutouts.names[person], UNKNOWN_IDENTITY)
