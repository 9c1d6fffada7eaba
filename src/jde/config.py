"""One value for everything that a run depends on, read strictly from YAML."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from jde.data.config import DataConfig
from jde.losses.config import LossConfig
from jde.model.config import Anchors, InputShape, ModelConfig
from jde.model.presets import darknet53, find_preset
from jde.structures.errors import InputError
from jde.structures.letterbox import Size
from jde.tracking.config import TrackerConfig
from jde.training.config import TrainingConfig
from jde.training.evaluation_config import EvaluationConfig

EXTENDS = "extends"
"""Key of a file that names the files it changes, from its own folder; later ones win."""

CHANGEABLE = (
    "anchors", "embedding_dim", "classes", "input_shape", "start_score", "appearance_points",
)  # fmt: skip
"""What a run may change of a named network besides its input size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A named network, changed where something is given.

    Attributes:
        preset: Name of the network.
        input_size: Width and height of its input.
        source: Published program whose variant of DarkNet-53 it is.
        anchors: Four boxes for each level, coarse to fine.
        embedding_dim: Numbers in an embedding.
        classes: Names of what it learns to find, such as [person, car]; their order numbers them
            in labels. People alone where nothing is given.
        input_shape: What the weight file will say: `fitted` brings the input into the shape of the
            video, `fixed` letterboxes the video; training always letterboxes.
        start_score: What the weight file will say: score with which a detection starts a track.
        appearance_points: Points down a box where a fitted embedding is read; what
            `jde fit-embedding` computed before is then kept, and training doesn't touch it.
    """

    preset: str = "jde-nano"
    input_size: Size | None = None
    source: Literal["zhongdao", "paddle", "mindspore"] | None = None
    anchors: Anchors | None = None
    embedding_dim: int | None = None
    classes: tuple[str, ...] | None = None
    input_shape: InputShape | None = None
    start_score: float | None = None
    appearance_points: int | None = None

    def resolve(self) -> ModelConfig:
        """Return the configuration of the chosen network."""
        config = find_preset(self.preset, size=self.input_size)
        if self.source and config.architecture != "darknet53":
            raise InputError(f"model.source: {self.preset} has no variants; leave it out")
        if self.source:
            config = darknet53(config.input_size, source=self.source)
        wishes = {name: getattr(self, name) for name in CHANGEABLE}
        return replace(config, **{name: one for name, one in wishes.items() if one is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Everything that a training run depends on.

    Attributes:
        data: What it learns from.
        model: Which network learns.
        loss: What the network is told.
        training: How it learns.
        evaluation: What it is scored on while it learns.
        tracker: How its detections are associated when it is scored; from a file without
            `tracker.min_score` with the start score of the model.
        output: Folder for checkpoints, log and weights.
        seed: Fixes every random choice.
    """

    data: DataConfig
    model: ModelChoice = field(default_factory=ModelChoice)
    loss: LossConfig = field(default_factory=LossConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    output: Path = Path("run")
    seed: int = 0


def load_config(path: Path, overrides: Mapping[str, Any] | None = None) -> RunConfig:
    """Return the configuration of a YAML file, with some values replaced.

    Args:
        path: The file.
        overrides: New values by their dotted key, such as `training.epochs`.

    Raises:
        InputError: A file is no YAML mapping, or a key or value is wrong; the message names it.
    """
    content = read_entries(path)
    for key, value in (overrides or {}).items():
        set_value(content, key, value)
    try:
        config = read_value(RunConfig, content, "")
        assert isinstance(config, RunConfig)
        if "min_score" in content.get("tracker", {}):
            return config
        # Scored as `jde track` will use the weights.
        start = config.model.resolve().start_score
        return replace(config, tracker=replace(config.tracker, min_score=start))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_entries(path: Path, below: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the entries of a YAML file over those of the files that its `extends` names.

    Args:
        path: The file.
        below: The files that extend it.

    Raises:
        InputError: A file is missing, no YAML mapping, or extends itself.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must hold keys and values, such as 'model: jde-nano'")
    if isinstance(content.get("model"), str):
        content["model"] = {"preset": content["model"]}
    names = read_value(tuple[str, ...], content.pop(EXTENDS, []), f"{path}: {EXTENDS}")
    entries: dict[str, Any] = {}
    for base in (path.parent / name for name in names):
        if not base.is_file() or base.resolve() in {one.resolve() for one in (path, *below)}:
            raise InputError(f"{path}: {EXTENDS} {base}, which is missing or extends this file")
        entries = merge(entries, read_entries(base, (path, *below)))
    return merge(entries, content)


def merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of both; where both have one, mappings are merged and others replaced."""
    shared = {
        key: merge(first[key], value)
        for key, value in second.items()
        if isinstance(value, Mapping) and isinstance(first.get(key), Mapping)
    }
    return {**first, **second, **shared}


def set_value(content: dict[str, Any], key: str, value: Any) -> None:
    """Put `value` where the dotted `key` points; numbers in it count the entries of a list."""
    if key == "model":
        key = "model.preset"
    *parents, last = key.split(".")
    place: Any = content
    for parent in parents:
        if isinstance(place, list):
            place = place[_entry(place, parent, key)]
            continue
        if not isinstance(place.get(parent), dict | list):
            place[parent] = {}
        place = place[parent]
    if isinstance(place, list):
        place[_entry(place, last, key)] = value
    else:
        place[last] = value


def _entry(values: Sequence[Any], text: str, key: str) -> int:
    if not text.isdecimal() or int(text) >= len(values):
        raise InputError(f"--{key}: {text} is not one of the entries 0 to {len(values) - 1}")
    return int(text)


def read_value(kind: Any, value: Any, key: str) -> Any:
    """Return `value` as the annotated type `kind`, checked all the way down.

    Args:
        kind: A dataclass, Literal, union, tuple, Path or plain type.
        value: What YAML gave.
        key: Dotted name for messages.

    Raises:
        InputError: The value is of another type or a key unknown; the message names the key.
    """
    origin = get_origin(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _read_dataclass(kind, value, key)
    if origin is Literal:
        return _read_choice(get_args(kind), value, key)
    if origin in {Union, types.UnionType}:
        return _read_union(get_args(kind), value, key)
    if origin is tuple:
        return _read_tuple(get_args(kind), value, key)
    return _read_plain(kind, value, key)


def _read_dataclass(kind: type[Any], value: Any, key: str) -> Any:
    if not isinstance(value, dict):
        raise InputError(f"{key} must hold keys and values, got {value!r}")
    known = {one.name: one for one in fields(kind)}
    hints = get_type_hints(kind)
    for name in value:
        if name not in known:
            raise InputError(f"unknown key {_join(key, name)}; {_suggest(str(name), known)}")
    for name, one in known.items():
        required = one.default is MISSING and one.default_factory is MISSING
        if required and name not in value:
            raise InputError(f"{_join(key, name)} is missing")
    values = {name: read_value(hints[name], value[name], _join(key, name)) for name in value}
    try:
        return kind(**values)
    except ValueError as error:
        raise InputError(f"{key}: {error}") from error


def _read_choice(choices: Sequence[Any], value: Any, key: str) -> Any:
    if value is False and "no" in choices:
        return "no"  # YAML reads a bare `no` as false.
    if value not in choices:
        raise InputError(
            f"{key} must be {' or '.join(map(str, choices))}, got {value!r}; "
            f"{_suggest(str(value), map(str, choices))}"
        )
    return value


def _read_union(kinds: Sequence[Any], value: Any, key: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    options = [kind for kind in kinds if kind is not type(None)]
    for kind in options[:-1]:
        try:
            return read_value(kind, value, key)
        except InputError:
            continue
    return read_value(options[-1], value, key)


def _read_tuple(kinds: Sequence[Any], value: Any, key: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        value = [value]
    if len(kinds) == 2 and kinds[1] is Ellipsis:  # noqa: PLR2004 (tuple[X, ...])
        kinds = [kinds[0]] * len(value)
    if len(kinds) != len(value):
        raise InputError(f"{key} must hold {len(kinds)} values, got {value!r}")
    return tuple(
        read_value(kind, one, f"{key}.{index}")
        for index, (kind, one) in enumerate(zip(kinds, value, strict=True))
    )


def _read_plain(kind: type[Any], value: Any, key: str) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is float and isinstance(value, str):
        value = _number(value)  # YAML takes 1e-4 for a word.
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{key} must be of type {kind.__name__}, got {value!r}")
    return value


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _join(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


def _suggest(name: str, known: Any) -> str:
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
