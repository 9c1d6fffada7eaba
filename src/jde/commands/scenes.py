"""`jde scenes`: draw a labelled video of walkers, to try, test and train with."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from jde.data.mot_source import mot_source
from jde.data.scenes.composition import ComposedScene
from jde.data.scenes.cutouts import Cutouts
from jde.data.scenes.scene import LabelledFrame, Scene
from jde.data.scenes.sequence_folder import write_sequence
from jde.structures.errors import InputError
from jde.video.writer import VideoWriter

LEAST_SIDE = 64
"""Pictures below it have no room for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenesOptions:
    """Draw labelled synthetic pedestrian scenes.

    Writes a MOTChallenge sequence: pictures in img1, every box, identity and visibility in
    gt/gt.txt, and seqinfo.ini. The same options give the same pictures.

    Examples:
        jde scenes --output street --seed 3 --frames 200 --people 15
        jde scenes --output street --cutouts people --background my-sequence
    """

    output: Path
    """Folder of the sequence; it is made."""

    seed: int = 0
    """Decides the place, the light, the people and their paths."""

    frames: int = 100
    """Length of the video."""

    size: tuple[int, int] = (576, 320)
    """Width and height in pixels."""

    people: int = 10
    """How many people are about at once."""

    frame_rate: float = 25.0
    """Frames a second."""

    moving: bool = False
    """Let the camera move."""

    cutouts: tuple[Path, ...] = ()
    """Put in real people instead of drawn ones: folders with RGBA pictures at IDENTITY/VIEW.png, as
    'jde cutouts' writes them."""

    background: Path | None = None
    """MOTChallenge sequence that the cut-out people are put into; the seed chooses the frame. Its
    labelled people stay and are labelled."""

    video: bool = True
    """Also write the frames as scene.mp4."""

    def __post_init__(self) -> None:
        if min(self.size) < LEAST_SIDE:
            raise InputError(f"--size: both sides must be {LEAST_SIDE} or more, got {self.size}")
        if self.frames < 1 or self.people < 0 or self.frame_rate <= 0:
            raise InputError("--frames and --frame-rate must be above 0, --people 0 or more")
        if bool(self.cutouts) != bool(self.background):
            raise InputError("--cutouts and --background belong together: give both or neither")


def run(options: ScenesOptions) -> str:
    """Write the sequence and return where it is."""
    drawn = track(
        _scene(options).frames(options.frames),
        total=options.frames,
        description="drawing",
        console=Console(stderr=True),
        transient=True,
    )
    path = options.output / "scene.mp4"
    with ExitStack() as stack:
        frames: Iterable[LabelledFrame] = drawn
        if options.video:
            options.output.mkdir(parents=True, exist_ok=True)
            video = stack.enter_context(VideoWriter(path, frame_rate=options.frame_rate))
            frames = _filmed(drawn, video)
        info = write_sequence(options.output, frames, frame_rate=options.frame_rate)
    lines = [
        f"{info.length} frames of {info.width}x{info.height} with seed {options.seed}",
        f"pictures:     {info.image_folder}",
        f"ground truth: {options.output / 'gt' / 'gt.txt'}",
    ]
    return "\n".join([*lines, *([f"video:        {path}"] if options.video else [])])


def _scene(options: ScenesOptions) -> Scene | ComposedScene:
    if not options.background:
        return Scene(
            seed=options.seed,
            size=options.size,
            people=options.people,
            frame_rate=options.frame_rate,
            moving=options.moving,
        )
    source = mot_source(options.background)
    rng = np.random.default_rng(options.seed)
    return ComposedScene(
        cutouts=Cutouts.read(*options.cutouts),
        background=source.load(int(rng.integers(len(source))), rng),
        seed=options.seed,
        size=options.size,
        people=options.people,
        frame_rate=options.frame_rate,
        moving=options.moving,
    )


def _filmed(drawn: Iterable[LabelledFrame], video: VideoWriter) -> Iterator[LabelledFrame]:
    """Yield the frames on, and write each into the video."""
    for labelled in drawn:
        video.write(labelled.frame.image, seconds=labelled.frame.seconds)
        yield labelled
