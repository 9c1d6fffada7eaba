"""`jde cutouts`: cut people out of labelled pictures, to compose scenes with."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from jde.data.mask_source import MASK_FOLDER
from jde.data.mot_source import find_sequences, mot_source
from jde.data.scenes.cutting import cut_by_masks, cut_from_pictures

CLEAR = 0.85
"""Share of a person that must be visible where the ground truth tells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CutoutsOptions:
    """Cut people out of labelled pictures, to compose scenes with.

    SOURCE is a MOTChallenge sequence, a folder of them, or a folder with images and masks that
    give each person a number. Writes OUTPUT/IDENTITY/VIEW.png, RGBA. People who are cut off,
    hidden or small, or whose outline can't be found are left out.

    Example:
        jde cutouts my-sequences --output people --frames 0 0.67
    """

    source: tyro.conf.Positional[Path]
    """Where the people are."""

    output: Path
    """Folder to write below; several sources can share one."""

    sightings: int = 16
    """How many sightings of one person in a sequence are tried."""

    frames: tuple[float, float] = (0.0, 1.0)
    """Part of each sequence in time: 0 0.67 holds back the last third."""


def run(options: CutoutsOptions) -> str:
    """Cut the people out and return how many there are."""
    if (options.source / MASK_FOLDER).is_dir():
        count = cut_by_masks(options.source, options.output)
    else:
        count = sum(
            cut_from_pictures(
                mot_source(folder, frames=options.frames, min_visibility=CLEAR),
                options.output,
                sightings=options.sightings,
            )
            for folder in find_sequences(options.source)
        )
    return f"cut out {count} views: {options.output}"
