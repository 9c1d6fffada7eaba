"""`jde doctor`: what a person would want to know of a data set before training on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from jde.data.doctor.anchor_fit import Sizes
from jde.data.doctor.contact_sheet import contact_sheet
from jde.data.doctor.examination import examine
from jde.data.doctor.findings import Finding, find_shared
from jde.data.doctor.inspection import InspectedPicture, digest_of, inspect
from jde.data.doctor.inventory import take_inventory
from jde.data.doctor.report import as_html, as_text
from jde.formats.draft import write_text
from jde.imaging.picture_file import write_picture
from jde.model.presets import anchors_for
from jde.structures.errors import InputError
from jde.structures.letterbox import STRIDE


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorOptions:
    """Look over a data set before training on it.

    Opens every picture and label, counts, compares box sizes with the anchors (and suggests
    better ones), and lists what to look at: damaged pictures, missing labels, boxes out of the
    picture, doubled identities, pictures shared with another set. Writes a page with all of it
    and a contact sheet with drawn labels.

    Ends with 0 also where it lists something; with 2 where nothing can be learned from the set.
    For example:

        jde doctor data/street.train --against data/street.val
        jde doctor MOT17/train --size 864 480
    """

    dataset: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATASET")]
    """List file, folder with images and labels_with_ids, data root or MOTChallenge folder."""

    against: tuple[Path, ...] = ()
    """Other sets, such as those to evaluate on: says which pictures occur in both."""

    size: tuple[int, int] = (1088, 608)
    """Width and height of the network's input, for sizes and anchors."""

    output: Path = Path("doctor")
    """Folder for report.html and contact-sheet.png."""


def run(options: DoctorOptions) -> str:
    """Examine the set, write the report and return what was found."""
    listed = take_inventory(options.dataset)
    with progress("looking at pictures", len(listed)) as on_picture:
        pictures = inspect(listed, on_picture)
    examination = examine(
        pictures,
        options.size,
        network_anchors(options.size),
        list(shared_pictures(pictures, options.against)),
    )
    sheet = contact_sheet(pictures)
    options.output.mkdir(parents=True, exist_ok=True)
    report = options.output / "report.html"
    write_text(report, as_html(f"{options.dataset}", examination, sheet))
    written = [report]
    if sheet is not None:
        written.append(options.output / "contact-sheet.png")
        write_picture(written[-1], sheet)
    if examination.fault:
        raise InputError(
            f"{options.dataset}: nothing can be learned from it, {examination.fault}; see {report}"
        )
    return "\n".join([as_text(examination), "", *map(str, written)])


def network_anchors(size: tuple[int, int]) -> Sizes:
    """Return the anchors of an input size from large to small.

    Raises:
        InputError: The size is none that the network takes.
    """
    if any(side <= 0 or side % STRIDE for side in size):
        raise InputError(f"--size {size[0]} {size[1]}: both must be multiples of {STRIDE}")
    return np.array(list(chain.from_iterable(anchors_for(size))), np.float64)


def shared_pictures(
    pictures: list[InspectedPicture], others: tuple[Path, ...]
) -> Iterator[Finding]:
    """Yield what of `pictures` occurs in each of the other sets."""
    for other in others:
        paths = [listed.path for listed in take_inventory(other)]
        with progress(f"comparing with {other.name}", len(paths)) as on_picture:
            digests = []
            for path in paths:
                digests.append((path, digest_of(path)))
                on_picture()
        yield from find_shared(pictures, digests, str(other))


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar on standard error; yield what to call after each of `total` steps."""
    from rich.console import Console  # noqa: PLC0415 (slow to import; help doesn't need it)
    from rich.progress import Progress  # noqa: PLC0415 (as above)

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total)
        yield lambda: bar.advance(task)
