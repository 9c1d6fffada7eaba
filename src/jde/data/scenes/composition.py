"""Real people, cut out, walking in real places, with exact labels."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from jde.data.sample import Sample
from jde.data.scenes.camera import PERSON
from jde.data.scenes.chance import happens
from jde.data.scenes.cutouts import Cutouts
from jde.data.scenes.figure import Place
from jde.data.scenes.finish import Finish
from jde.data.scenes.occluders import Occluder, draw_occluders
from jde.data.scenes.pasting import Fit, fit_cutout, paste_size
from jde.data.scenes.perspective import Perspective
from jde.data.scenes.scene import LabelledFrame
from jde.data.scenes.shadows import Light, shade_ground
from jde.data.scenes.sprite import SOLID, Sprite, darken, paste, visible_fractions
from jde.data.scenes.window import Window
from jde.structures.boxes import areas, clip_to_image
from jde.structures.frame import Frame

TRIES = 8
"""Places looked at before a person is left out."""
LEAST_HEIGHT = 14.0
"""Smaller people are not put in, in pixels."""
TOLERANCE = 0.08
"""Part of a labelled person in front of whom nobody is put who would stand behind."""
VIEW_SECONDS = 0.4
"""How long one view of a walking cut-out is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedScene:
    """A video of cut-out people in front of a labelled picture; it depends on its settings alone.

    Attributes:
        cutouts: Who can be put in.
        background: The picture, with labels of the people that are in it already.
        seed: Decides part of the picture, people, paths and light.
        size: Width and height in pixels.
        people: How many are put in.
        frame_rate: Frames a second.
        moving: Whether the camera moves.
    """

    cutouts: Cutouts
    background: Sample
    seed: int
    size: tuple[int, int] = (576, 320)
    people: int = 6
    frame_rate: float = 25.0
    moving: bool = False

    def frames(self, count: int) -> Iterator[LabelledFrame]:
        """Yield the first `count` frames.

        Identities are numbers of cut-out people; those who are in the background follow them.
        """
        composition = Composition.build(self)
        for index in range(1, count + 1):
            yield composition.draw(index, (index - 1) / self.frame_rate)


@dataclass(frozen=True, slots=True)
class Walker:
    """One person put in.

    Attributes:
        identity: Number among the cut-outs.
        views: Files of the views, the first one shown first.
        x: Column of the feet in the background, in pixels.
        foot: Row of the feet.
        height: Pixels from sole to crown.
        speed: Body heights a second to the right, and per second of growth downwards.
        fit: How the cut-out is changed.
    """

    identity: int
    views: tuple[Path, ...]
    x: float
    foot: float
    height: float
    speed: tuple[float, float]
    fit: Fit

    def box(self) -> tuple[float, float, float, float]:
        """Return corners in the background."""
        width = paste_size(self.views[0], self.height)[0]
        return (
            self.x - width / 2, self.foot - self.height, self.x + width / 2, self.foot
        )  # fmt: skip

    def after(self, seconds: float) -> "Walker":
        """Return the person some time later."""
        growth = max(0.3, 1 + self.speed[1] * seconds)
        return replace(
            self,
            x=self.x + self.speed[0] * self.height * seconds,
            foot=self.foot + (growth - 1) * self.height,
            height=self.height * growth,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """Everything that a composed scene is made of."""

    rng: np.random.Generator
    window: Window
    walkers: tuple[Walker, ...]
    occluders: tuple[Occluder, ...]
    light: Light
    finish: Finish
    people: int

    @classmethod
    def build(cls, scene: ComposedScene) -> "Composition":
        """Return the composition before the first frame."""
        rng = np.random.default_rng(scene.seed)
        window = Window.open(rng, scene.background, scene.size, moving=scene.moving)
        corner = window.corner(0.0)
        known = window.boxes - np.tile(corner, 2).astype(np.float32)
        measured = Perspective.of_people(known, scene.size)
        # A part of the time sizes are free: more is learnt from variety than from truth.
        free = measured is None or happens(rng, 0.35)
        perspective = Perspective.draw(rng, scene.size) if free or not measured else measured
        walkers = place_people(
            rng, scene.cutouts, scene.people, perspective, known, size=scene.size
        )
        shift = np.array(corner)
        walkers = [replace(w, x=w.x + shift[0], foot=w.foot + shift[1]) for w in walkers]
        return cls(
            rng=rng,
            window=window,
            walkers=tuple(walkers),
            occluders=draw_occluders(rng, window, [w.box() for w in walkers]),
            light=Light.draw(rng),
            finish=Finish.draw(rng),
            people=len(scene.cutouts),
        )

    def draw(self, index: int, seconds: float) -> LabelledFrame:
        """Return what the camera sees after `seconds`."""
        corner = self.window.corner(seconds)
        canvas = self.window.view(corner)
        walkers = [walker.after(seconds) for walker in self.walkers]
        layers: list[tuple[float, int, Sprite]] = []
        shade = np.zeros(canvas.shape[:2], np.uint8)
        for walker in walkers:
            place = Place(walker.x - corner[0], walker.foot - corner[1], walker.height / PERSON)
            view = walker.views[int(seconds / VIEW_SECONDS) % len(walker.views)]
            sprite = fit_cutout(view, place, walker.height, walker.fit, canvas)
            shade_ground(shade, sprite, place, self.light)
            layers.append((place.y, walker.identity, sprite))
        layers += [(o.foot - corner[1], -1, o.sprite_at(corner)) for o in self.occluders]
        layers.sort(key=lambda layer: layer[0])
        darken(canvas, cv2.blur(shade, (5, 5)), self.light.strength)
        for _, _, sprite in layers:
            paste(canvas, sprite)
        picture = self.finish(canvas, self.rng)
        return self._label(Frame(picture, index, seconds), layers, corner)

    def _label(
        self, frame: Frame, layers: list[tuple[float, int, Sprite]], corner: tuple[float, float]
    ) -> LabelledFrame:
        sprites = [sprite for _, _, sprite in layers]
        seen = visible_fractions(sprites, self.window.size)
        own = [
            (identity, box, share)
            for (_, identity, sprite), share in zip(layers, seen, strict=True)
            if identity >= 0 and share > 0 and (box := sprite.box)
        ]
        known = self.window.boxes - np.tile(corner, 2).astype(np.float32)
        left = uncovered(known, sprites, self.window.size)
        rows = np.flatnonzero(left > 0)
        boxes = np.array([box for _, box, _ in own], np.float32).reshape(-1, 4)
        return LabelledFrame(
            frame,
            np.concatenate([np.array([i for i, _, _ in own], np.int64), self.people + rows]),
            np.concatenate([boxes, known[rows]]),
            np.concatenate([np.array([s for _, _, s in own], np.float32), left[rows]]),
        )


def place_people(
    rng: np.random.Generator,
    cutouts: Cutouts,
    people: int,
    perspective: Perspective,
    known: Float32[np.ndarray, "n 4"],
    *,
    size: tuple[int, int],
) -> list[Walker]:
    """Return people in places where they don't stand behind somebody of the background.

    Args:
        rng: Where chance comes from.
        cutouts: Who can be put in.
        people: How many at most.
        perspective: How tall they are.
        known: Corner boxes of those who are there.
        size: Width and height of the picture.
    """
    placed: list[Walker] = []
    count = min(people, len(cutouts))
    for identity in rng.choice(len(cutouts), count, replace=False).tolist():
        views = cutouts.views[identity]
        first = int(rng.integers(len(views)))
        turned = views[first:] + views[:first]
        fit = Fit.draw(rng)
        for _ in range(TRIES):
            x, foot = _spot(rng, size, perspective, placed)
            height = perspective.height(foot) * float(np.clip(rng.normal(1, 0.08), 0.75, 1.25))
            speed = float(rng.normal(0, 0.5)), float(rng.normal(0, 0.03))
            walker = Walker(identity, turned, x, foot, height, speed, fit)
            if height >= LEAST_HEIGHT and _fits(walker.box(), known):
                placed.append(walker)
                break
    return placed


def _spot(
    rng: np.random.Generator,
    size: tuple[int, int],
    perspective: Perspective,
    placed: list[Walker],
) -> tuple[float, float]:
    """Return a place of the feet: anywhere, or close to somebody."""
    if placed and happens(rng, 0.35):
        friend = placed[int(rng.integers(len(placed)))]
        aside = float(rng.uniform(0.12, 0.45) * rng.choice([-1, 1])) * friend.height
        lower = max(perspective.horizon + 12 / perspective.rise, friend.foot)
        return friend.x + aside, lower + float(rng.normal(0, 0.04)) * friend.height
    x = float(rng.uniform(-0.03, 1.03)) * size[0]
    return x, perspective.draw_foot(rng, size[1])


def _fits(box: tuple[float, float, float, float], known: Float32[np.ndarray, "n 4"]) -> bool:
    """Return whether nobody of the background, who stands nearer, would be painted over."""
    nearer = known[known[:, 3] > box[3]]
    sides = np.minimum(nearer[:, 2:], box[2:]) - np.maximum(nearer[:, :2], box[:2])
    shared = np.maximum(sides, 0).prod(axis=1)
    return bool((shared <= TOLERANCE * areas(nearer)).all())


def uncovered(
    known: Float32[np.ndarray, "n 4"], sprites: list[Sprite], size: tuple[int, int]
) -> Float32[np.ndarray, " n"]:
    """Return the part of each labelled box that is in the picture and not painted over."""
    free: Bool[np.ndarray, "height width"] = np.ones((size[1], size[0]), bool)
    for sprite in sprites:
        inside, own = sprite.overlap(size)
        free[inside] &= sprite.opacity[own] < SOLID
    shares = np.zeros(len(known), np.float32)
    cut = np.round(clip_to_image(known, size)).astype(int)
    for row, (left, top, right, bottom) in enumerate(cut):
        shares[row] = np.count_nonzero(free[top:bottom, left:right])
    return np.minimum(1, shares / np.maximum(areas(known), 1)).astype(np.float32)
