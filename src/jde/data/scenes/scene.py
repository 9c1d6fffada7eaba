"""A street with walkers, drawn frame by frame with exact labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Int64

from jde.data.scenes.appearance import Appearance
from jde.data.scenes.backdrop import paint_backdrop
from jde.data.scenes.camera import Camera, Motion, draw_camera
from jde.data.scenes.chance import happens
from jde.data.scenes.crowd import Crowd, Ground
from jde.data.scenes.figure import Place, paint_person
from jde.data.scenes.finish import Finish
from jde.data.scenes.props import Prop, paint_prop
from jde.data.scenes.shadows import Light, shade_ground
from jde.data.scenes.sprite import Box, Sprite, darken, paste, visible_fractions
from jde.structures.frame import Frame, Image


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """A drawn picture and everybody in it.

    Attributes:
        frame: The picture.
        identities: Who it is, from 0 in the order of first appearance.
        boxes: Corner boxes around the whole person, in pixels; they may reach beyond the picture.
        visibility: Part of the person that nothing hides, 0 to 1.
    """

    frame: Frame
    identities: Int64[np.ndarray, " n"]
    boxes: Float32[np.ndarray, "n 4"]
    visibility: Float32[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A video of walkers that depends on its settings alone.

    Attributes:
        seed: Decides place, light, camera, people and paths.
        size: Width and height in pixels.
        people: How many are about at once.
        frame_rate: Frames a second.
        moving: Whether the camera moves; None lets the seed decide.
        cast: Who may walk here: identity i looks like entry i, and nobody else comes once all have
            been; None invents everybody.
    """

    seed: int
    size: tuple[int, int] = (576, 320)
    people: int = 10
    frame_rate: float = 25.0
    moving: bool | None = False
    cast: Sequence[Appearance] | None = None

    def frames(self, count: int) -> Iterator[LabelledFrame]:
        """Yield the first `count` frames."""
        stage = Stage.build(self)
        for index in range(1, count + 1):
            yield stage.draw(index, (index - 1) / self.frame_rate)
            stage.crowd.step(1 / self.frame_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that a scene is made of; only the crowd changes."""

    rng: np.random.Generator
    camera: Camera
    motion: Motion
    crowd: Crowd
    props: tuple[Prop, ...]
    backdrop: Image
    light: Light
    finish: Finish
    wardrobe: "Wardrobe"

    @classmethod
    def build(cls, scene: Scene) -> "Stage":
        """Return the stage before the first frame."""
        rng = np.random.default_rng(scene.seed)
        tallest = scene.size[1] * rng.uniform(0.2, 0.95)
        camera = draw_camera(rng, scene.size, tallest)
        # People farther away would stand above the picture of a camera that looks down.
        highest = camera.person_at(0.22 * scene.size[1])
        smallest = max(0.055 * scene.size[1], tallest * rng.uniform(0.12, 0.6), highest)
        moves = happens(rng, 0.5) if scene.moving is None else scene.moving  # half
        motion = Motion.draw(rng, scene.size) if moves else Motion()
        ground = Ground.seen_by(camera, tallest, smallest)
        return cls(
            rng=rng,
            camera=camera,
            motion=motion,
            crowd=Crowd(ground, rng, scene.people, evenness=rng.uniform(0, 0.6)),
            props=tuple(
                Prop.draw(rng, *ground.draw(rng, 0.3)) for _ in range(int(rng.integers(0, 8)))
            ),
            backdrop=paint_backdrop(rng, camera, motion.margin(scene.size)),
            light=Light.draw(rng),
            finish=Finish.draw(rng),
            wardrobe=Wardrobe(scene.seed, scene.cast),
        )

    def draw(self, index: int, seconds: float) -> LabelledFrame:
        """Return what the camera sees now."""
        camera = self.motion.at(self.camera, seconds, self.rng)
        actors = [*self._people(camera), *self._things(camera)]
        actors.sort(key=lambda actor: -actor.away)
        canvas = self._background(camera)
        shade = np.zeros(canvas.shape[:2], np.uint8)
        for actor in actors:
            shade_ground(shade, actor.sprite, actor.place, self.light)
        darken(canvas, cv2.blur(shade, (3, 3)), self.light.strength)
        sprites = [actor.sprite for actor in actors]
        for sprite in sprites:
            paste(canvas, sprite)
        picture = self.finish(canvas, self.rng)
        return _label(
            Frame(picture, index, seconds), actors, visible_fractions(sprites, camera.size)
        )

    def _people(self, camera: Camera) -> Iterator["Actor"]:
        for row, identity in enumerate(self.crowd.identities):
            across, away = self.crowd.places[row]
            look = self.wardrobe.look(int(identity))
            if look is None or away - camera.travel[1] < CLOSEST:
                continue
            place = Place(*camera.place(across, away))
            # People far outside the picture cost time and nobody sees them.
            if abs(place.x - camera.size[0] / 2) < camera.size[0] / 2 + place.scale:
                sprite = paint_person(look, self.crowd.pose(row, camera), place, self.light.side)
                yield Actor(int(identity), away, place, sprite)

    def _things(self, camera: Camera) -> Iterator["Actor"]:
        for prop in self.props:
            if prop.away - camera.travel[1] < CLOSEST:
                continue
            place = Place(*camera.place(prop.across, prop.away))
            yield Actor(NOBODY, prop.away, place, paint_prop(prop, place))

    def _background(self, camera: Camera) -> Image:
        width, height = camera.size
        extra = self.motion.margin(camera.size)
        if not any(extra):
            return self.backdrop.copy()
        # Far things hardly grow as the camera rides on; they grow about the vanishing point.
        zoom = 1 + max(-0.5, camera.travel[1] / BACKDROP_METRES)
        slide = camera.travel[0] * camera.focal / BACKDROP_METRES
        centre = width / 2 + extra[0], camera.horizon + extra[1]
        target = width / 2 + camera.shift[0] - slide, camera.horizon + camera.shift[1]
        move = np.array(
            [[zoom, 0, target[0] - zoom * centre[0]], [0, zoom, target[1] - zoom * centre[1]]]
        )
        return cv2.warpAffine(
            self.backdrop, move, (width, height), borderMode=cv2.BORDER_REFLECT_101
        )


NOBODY = -1
"""Stands for the identity of things."""
CLOSEST = 0.8
"""Metres in front of the lens from which on people and things are drawn."""
BACKDROP_METRES = 40.0
"""Distance at which the painted background seems to stand when the camera travels."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something in one picture."""

    identity: int
    away: float
    place: Place
    sprite: Sprite


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """What each identity looks like."""

    seed: int
    cast: Sequence[Appearance] | None

    def look(self, identity: int) -> Appearance | None:
        """Return the appearance, or None if the cast has no such person."""
        if self.cast is None:
            return Appearance.draw(np.random.default_rng([self.seed, identity]))
        return self.cast[identity] if identity < len(self.cast) else None


def _label(
    frame: Frame, actors: Sequence[Actor], visibility: Float32[np.ndarray, " n"]
) -> LabelledFrame:
    """Keep the people of whom something lies in the picture."""
    rows = [
        (actor.identity, box, share)
        for actor, share in zip(actors, visibility, strict=True)
        if actor.identity != NOBODY and (box := actor.sprite.box) and _inside(box, frame.image)
    ]
    return LabelledFrame(
        frame,
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[2] for row in rows], np.float32),
    )


def _inside(box: Box, image: Image) -> bool:
    height, width = image.shape[:2]
    return box[0] < width and box[2] > 0 and box[1] < height and box[3] > 0
