from dataclasses import dataclass
from typing import Literal

import numpy as np

from jde.data.scenes.chance import happens

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""
Pattern = Literal["plain", "hoops", "stripes", "checks", "print", "halves"]
Legwear = Literal["trousers", "shorts", "skirt"]
Hair = Literal["short", "long", "tied", "none"]
Hat = Literal["none", "beanie", "cap"]
Bag = Literal["none", "backpack", "handbag", "suitcase"]

SKINS: tuple[Colour, ...] = (
    (241, 205, 179), (228, 185, 152), (206, 158, 124), (172, 122, 90), (128, 84, 60), (85, 56, 44),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (28, 24, 22), (45, 34, 28), (84, 58, 38), (130, 92, 52), (190, 152, 96), (150, 148, 146),
    (120, 52, 30),
)  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (24, 24, 28), (52, 54, 60), (96, 98, 102), (150, 150, 152), (228, 226, 220), (28, 36, 66),
    (44, 66, 118), (92, 128, 178), (92, 30, 34), (176, 40, 44), (212, 96, 116), (40, 66, 48),
    (86, 128, 78), (196, 168, 60), (216, 122, 46), (122, 88, 60), (188, 164, 128), (98, 64, 118),
    (60, 140, 150),
)  # fmt: skip
"""What people wear in streets: dark and grey more often than bright, see `Appearance.draw`."""
DRAB = 9
"""The first colours of `CLOTHES` are the common ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What makes one person look like nobody else.

    Attributes:
        height: Metres from sole to crown.
        build: Width of the body against the average.
        skin: Colour of face, hands and bare limbs.
        hair_colour: Colour of the hair.
        hair: Cut of the hair.
        hat: Headgear.
        top: Main colour of the upper garment.
        second: Other colour of its pattern.
        pattern: Pattern of the upper garment.
        pattern_scale: Size of the pattern against the average.
        sleeves: True if they reach the hand.
        coat: Length of the upper garment below the hip, in parts of the leg.
        bottom: Colour of the lower garment.
        legwear: Kind of the lower garment.
        shoes: Colour of the shoes.
        bag: What is carried.
        bag_colour: Colour of bag and hat.
        cloth: Seed of folds and grain.
    """

    height: float
    build: float
    skin: Colour
    hair_colour: Colour
    hair: Hair
    hat: Hat
    top: Colour
    second: Colour
    pattern: Pattern
    pattern_scale: float
    sleeves: bool
    coat: float
    bottom: Colour
    legwear: Legwear
    shoes: Colour
    bag: Bag
    bag_colour: Colour
    cloth: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Appearance":
        """Return a person made up at random."""
        return cls(
            height=float(np.clip(rng.normal(1.7, 0.1), 1.3, 1.98)),
            build=float(np.clip(rng.normal(1.0, 0.13), 0.78, 1.45)),
            skin=_vary(rng, SKINS[rng.integers(len(SKINS))], 10.0),
            hair_colour=_vary(rng, HAIRS[rng.integers(len(HAIRS))], 10.0),
            hair=rng.choice(["short", "long", "tied", "none"], p=[0.5, 0.28, 0.14, 0.08]).item(),
            hat=rng.choice(["none", "beanie", "cap"], p=[0.8, 0.1, 0.1]).item(),
            top=_garment(rng),
            second=_garment(rng),
            pattern=rng.choice(
                ["plain", "hoops", "stripes", "checks", "print", "halves"],
                p=[0.5, 0.12, 0.08, 0.1, 0.12, 0.08],
            ).item(),
            pattern_scale=float(rng.uniform(0.6, 1.8)),
            sleeves=happens(rng, 0.65),
            coat=float(rng.uniform(0.25, 1.1) if happens(rng, 0.25) else rng.uniform(0, 0.12)),
            bottom=_garment(rng),
            legwear=rng.choice(["trousers", "shorts", "skirt"], p=[0.7, 0.15, 0.15]).item(),
            shoes=_garment(rng),
            bag=rng.choice(
                ["none", "backpack", "handbag", "suitcase"], p=[0.55, 0.2, 0.18, 0.07]
            ).item(),
            bag_colour=_garment(rng),
            cloth=int(rng.integers(1 << 31)),
        )


def _garment(rng: np.random.Generator) -> Colour:
    common = happens(rng, 0.55)
    return _vary(rng, CLOTHES[rng.integers(DRAB if common else len(CLOTHES))], 16.0)


def _vary(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    light, *tint = rng.normal(0, (spread, spread / 2, spread / 2, spread / 2)).tolist()
    red, green, blue = (
        max(0, min(255, round(part + light + own))) for part, own in zip(colour, tint, strict=True)
    )
    return red, green, blue
