"""`jde prepare`: a public set, or one's own annotations, as pictures with label files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from jde.data.prepare.catalogue import PUBLIC_SETS, PublicSet
from jde.data.prepare.prepared import Part, Selection
from jde.data.prepare.writing import PartCounts, PicturesBy, write_set
from jde.structures.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareOptions:
    """Bring a public set, or your own annotations, into pictures with label files.

    Reads the official download as it unpacks, changes nothing in it, and writes below --to a
    folder `images`, beside it `labels_with_ids`, and the list files that a training
    configuration names. Start it again after a break: it goes on where it stopped.

    Public sets: caltech, citypersons, crowdhuman, cuhk-sysu, ethz, mot15, mot16, mot17, mot20,
    prw. Your own: mot (MOTChallenge folders), coco (COCO, COCO-VID), cvat, yolo. For example:

        jde prepare mot17 --from downloads/MOT17 --to data
        jde prepare mot --from my-sequences --to data --name street --held-out camera3
        jde prepare coco --from export --to data --classes person car --keep-classes
    """

    dataset: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SET")]
    """Which set or format it is."""

    raw: Annotated[Path, tyro.conf.arg(name="from")]
    """Folder of the unpacked download or export."""

    root: Annotated[Path, tyro.conf.arg(name="to")]
    """Data root to write below; several sets can share one."""

    name: str = ""
    """Name of the folder and of the list files below the root; the set's own where empty."""

    classes: tuple[str, ...] = ()
    """Classes to take as people, by name or number: coco, cvat, mot and yolo."""

    keep_classes: bool = False
    """Number the classes in the order of --classes, from 0, for a network of several classes;
    without it all of them are written as people, class 0."""

    held_out: tuple[str, ...] = ()
    """Sequences, videos or exports to put into the validation list instead of training."""

    pictures_by: PicturesBy = "copy"
    """How pictures get to the root; links save disk space."""


def run(options: PrepareOptions) -> str:
    """Prepare the set and return what was written."""
    public = find_set(options.dataset)
    list_name = options.name or public.list_name
    if options.keep_classes and not options.classes:
        raise InputError("--keep-classes numbers the classes that --classes names: name them")
    selection = Selection(
        folder=options.name or public.folder,
        classes=options.classes,
        keep_classes=options.keep_classes,
        held_out=options.held_out,
    )
    with picture_counter(f"preparing {list_name}") as on_picture:
        parts = write_set(
            public.read(options.raw, selection),
            options.root,
            list_name,
            by=options.pictures_by,
            on_picture=on_picture,
        )
    if not parts:
        raise InputError(
            f"{options.raw}: holds no picture to learn from; expected {public.expected}"
        )
    published = {} if options.name else public.published
    return describe(options.root, list_name, parts, published)


def find_set(name: str) -> PublicSet:
    """Return the set of that name.

    Raises:
        InputError: There is none; the message lists them.
    """
    if name not in PUBLIC_SETS:
        raise InputError(f"there is no set {name!r}; choose among: {', '.join(PUBLIC_SETS)}")
    return PUBLIC_SETS[name]


@contextmanager
def picture_counter(description: str) -> Iterator[Callable[[], None]]:
    """Show on standard error how many pictures were done; yield what to call after each."""
    from rich.console import Console  # noqa: PLC0415 (slow to import; help doesn't need it)
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}: {task.completed:,} pictures"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(description, total=None)
        yield lambda: progress.advance(task)


def describe(
    root: Path, list_name: str, parts: dict[Part, PartCounts], published: dict[Part, int]
) -> str:
    """Return the counts of a prepared set in words, and what to do next."""
    lines = [
        line
        for part, counts in parts.items()
        for line in (
            str(root / f"{list_name}.{part}"),
            *_counts_in_words(counts, published.get(part)),
        )
    ]
    return "\n".join([*lines, f"Next: jde doctor {root / f'{list_name}.{next(iter(parts))}'}"])


def _counts_in_words(counts: PartCounts, published: int | None) -> list[str]:
    unnamed = f" ({counts.unknown:,} without identity)" if counts.unknown else ""
    lines = [
        f"  {len(counts.names):,} pictures"
        + (f" (the published list has {published:,})" if published else ""),
        f"  {counts.boxes:,} boxes{unnamed}",
        f"  {len(counts.identities):,} identities",
    ]
    if counts.dropped:
        lines.append(f"  {counts.dropped:,} boxes left out: outside the picture or without area")
    if counts.kept:
        lines.append(f"  {counts.kept:,} pictures were there already")
    return lines
