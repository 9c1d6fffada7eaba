"""What a run trains on, as its YAML file and the command line say it."""

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from jde.data.augmentation import Augmentation, AugmentationConfig
from jde.data.class_column import ClassColumn
from jde.data.copy_paste import CopyPaste, CopyPasteConfig
from jde.data.joint import JointSource
from jde.data.label_source import PICTURE_FOLDER, label_source
from jde.data.loader import TrainingLoader, TrainingPictures
from jde.data.mask_source import MASK_FOLDER, mask_source
from jde.data.mot_source import find_sequences, mot_source
from jde.data.sample import Source
from jde.data.sampling import EpochPlan
from jde.data.scenes.composed_source import ComposedSource
from jde.data.scenes.cutouts import Cutouts
from jde.data.scenes.source import SceneSource
from jde.structures.errors import InputError
from jde.structures.letterbox import Size

VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """One place that training pictures come from."""

    kind: Literal["labels", "mot", "pennfudan", "scenes", "composed"] = "labels"
    """labels: a list file, or a folder with images and labels_with_ids. mot: a MOTChallenge
    sequence or a folder of them. pennfudan: images and masks. scenes: drawn as they are asked for.
    composed: cut-out people put into the pictures of other folders."""
    path: str = ""
    """File or folder; may hold variables of the environment, as ${JDE_DATA}/sequences. composed:
    the folder of cut-outs. Empty for drawn scenes."""
    backgrounds: tuple[str, ...] = ()
    """composed: folders that people are put into, in the layout of any kind above."""
    name: str = ""
    """What reports call it; its own name where empty."""
    repeat: float = 1.0
    """How often its pictures occur in an epoch: 2 shows each twice, 0.5 every second one."""
    root: str = ""
    """Folder that the lines of a list file start from; the list's own where empty."""
    pattern: str = "*"
    """Which sequences in a folder of them, by name: *-SDP takes each MOT17 sequence once."""
    frames: tuple[float, float] = (0.0, 1.0)
    """Part of each sequence in time: 0 0.67 holds back the last third."""
    min_visibility: float = 0.0
    """Leave out people of a sequence of whom a smaller share is visible."""
    class_numbers: tuple[int, ...] = ()
    """labels, mot: the number that stands for each of the network's classes, in their order, in the
    class column; others are left out. Without it label files count from 0 (one class alone takes
    every number) and MOTChallenge files from 1."""
    length: int = 1000
    """Number of drawn pictures in an epoch."""
    seed: int = 0
    """Drawn pictures with another seed show other people and places."""
    people: int = 12
    """How many people a drawn picture holds on average."""
    cast_size: int = 500
    """Number of identities in drawn pictures."""
    fresh: bool = True
    """Draw other pictures in every epoch."""

    def __post_init__(self) -> None:
        first, end = self.frames
        if not 0 <= first < end <= 1:
            raise InputError(f"frames must rise within 0 to 1, got {first:g} {end:g}")
        if self.repeat <= 0:
            raise InputError(f"repeat must be above 0, got {self.repeat:g}")
        if not self.path and self.kind != "scenes":
            raise InputError(f"a source of kind {self.kind} needs a path")
        if not self.backgrounds and self.kind == "composed":
            raise InputError("a source of kind composed needs backgrounds")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Training pictures: where they come from, how they change, how they are loaded."""

    sources: tuple[SourceConfig, ...] = ()
    """Where pictures come from; their order numbers the identities."""
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    """How pictures change."""
    mosaic: float = 0.0
    """Beyond the published: probability of a picture put together from four."""
    views: int = 1
    """Beyond the published: how many times each picture stands in a batch, changed in another way
    each time, for `loss.views`. All count as pictures of the batch."""
    workers: int = 2
    """Processes that load pictures; 0 loads between the steps."""
    max_faults: int = 100
    """How many unreadable pictures are replaced by others before the run stops."""
    reduced_decoding: bool = True
    """Decode big JPEG files at a half or less where that still fills the network's input."""

    def __post_init__(self) -> None:
        if self.views < 1:
            raise InputError(f"views must be at least 1, got {self.views}")


def build_sources(
    config: DataConfig, size: Size, classes: int = 1
) -> tuple[list[Source], list[float]]:
    """Return the sources that `config` names for a network of `size`, and their repeats.

    Args:
        config: The sources.
        size: Width and height of the network's input.
        classes: How many classes the network has.

    Raises:
        InputError: A source is missing or malformed.
    """
    sources, repeats = list[Source](), list[float]()
    growth = config.augmentation.scale[1] * config.augmentation.zoom[1]
    largest = (round(size[0] * growth), round(size[1] * growth))
    for one in config.sources:
        found = _build(one, size, largest if config.reduced_decoding else None, classes)
        sources += found
        repeats += [one.repeat] * len(found)
    return sources, repeats


def build_joint_source(config: DataConfig, size: Size, classes: int = 1) -> JointSource:
    """Return all sources of `config` as one, with identities numbered over all.

    Raises:
        InputError: A source is missing or malformed, or there is none.
    """
    return JointSource(*build_sources(config, size, classes))


def build_loader(
    config: DataConfig,
    source: JointSource,
    plan: EpochPlan,
    size: Size,
    *,
    pin_memory: bool = False,
) -> TrainingLoader:
    """Return the batches of `source`, changed as `config` says, in the order of `plan`."""
    augmentation = Augmentation(config.augmentation, size)
    put_in = build_copy_paste(config.augmentation.copy_paste, source)
    return TrainingLoader(
        TrainingPictures(source, augmentation, plan.seed, config.mosaic, config.views, put_in),
        plan,
        workers=config.workers,
        max_faults=config.max_faults,
        pin_memory=pin_memory,
    )


def build_copy_paste(config: CopyPasteConfig, source: JointSource) -> CopyPaste | None:
    """Return what puts people into pictures, None where nobody is to be put in.

    People who were cut out of a part of `source` keep their identity.

    Raises:
        InputError: There is no cut-out.
    """
    if not config.cutouts:
        return None
    return CopyPaste(config, Cutouts.read(expand(config.cutouts)), source.lent_numbers())


def kind_of(path: Path) -> Literal["labels", "mot", "pennfudan"]:
    """Return in which layout a folder or file holds its pictures."""
    if (path / MASK_FOLDER).is_dir():
        return "pennfudan"
    if path.is_file() or (path / PICTURE_FOLDER).is_dir():
        return "labels"
    return "mot"


def expand(path: str) -> Path:
    """Return the path with variables of the environment and ~ filled in.

    Raises:
        InputError: A variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        variable = match[1] or match[2]
        if variable not in os.environ:
            raise InputError(f"{path}: the variable {variable} is not set; export {variable}=...")
        return os.environ[variable]

    return Path(VARIABLE.sub(value, path)).expanduser()


def _build(one: SourceConfig, size: Size, largest: Size | None, classes: int) -> list[Source]:
    if one.kind == "scenes":
        return [_scenes(one, size)]
    path = expand(one.path)
    if one.kind == "pennfudan":
        return [mask_source(path, name=one.name, network=largest)]
    if one.kind == "mot":
        return _sequences(one, path, largest, classes)
    if one.kind == "composed":
        return [_composed(one, path, size, classes)]
    root = expand(one.root) if one.root else None
    column = ClassColumn(classes, one.class_numbers)
    return [label_source(path, name=one.name, root=root, network=largest, column=column)]


def _sequences(one: SourceConfig, path: Path, largest: Size | None, classes: int) -> list[Source]:
    folders = find_sequences(path, one.pattern)
    return [
        mot_source(
            folder,
            name=one.name if len(folders) == 1 else "",
            frames=one.frames,
            min_visibility=one.min_visibility,
            network=largest,
            column=ClassColumn(classes, one.class_numbers),
        )
        for folder in folders
    ]


def _scenes(one: SourceConfig, size: Size) -> SceneSource:
    return SceneSource(
        seed=one.seed,
        length=one.length,
        size=size,
        people=one.people,
        cast_size=one.cast_size,
        fresh=one.fresh,
    )


def _composed(one: SourceConfig, path: Path, size: Size, classes: int) -> ComposedSource:
    places = list[Source]()
    for background in one.backgrounds:
        kind = kind_of(expand(background))
        # People need the full size: the composition cuts out windows.
        places += _build(replace(one, kind=kind, path=background, name=""), size, None, classes)
    return ComposedSource(
        cutouts=Cutouts.read(path),
        backgrounds=JointSource(places),
        seed=one.seed,
        length=one.length,
        size=size,
        people=one.people,
        fresh=one.fresh,
    )
