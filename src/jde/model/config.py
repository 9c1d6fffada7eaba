import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from jde.structures.errors import InputError
from jde.structures.letterbox import STRIDE, Size

STRIDES = (32, 16, 8)
"""Pixels of the network's input for one cell of each level, coarse to fine."""

PUBLISHED_SCORE = 0.5
"""What the authors ask of a new track; files say so where their weights do better with another."""

LevelAnchors = tuple[tuple[float, float], ...]
Anchors = tuple[LevelAnchors, LevelAnchors, LevelAnchors]
"""Widths and heights in pixels of the network's input, for each level, coarse to fine."""

Architecture = Literal["darknet53", "nano", "small"]
Activation = Literal["leaky", "relu"]
StridePadding = Literal["symmetric", "bottom-right"]
InputShape = Literal["fixed", "fitted"]

PEOPLE = ("person",)
"""What networks find that don't say otherwise."""

BEFORE: dict[str, Any] = {
    "input_shape": "fixed",
    "appearance_points": 0,
    "classes": PEOPLE,
}
"""What files mean that say nothing of these fields."""

CHOICES: dict[str, tuple[str, ...]] = {
    "architecture": get_args(Architecture),
    "activation": get_args(Activation),
    "stride2_padding": get_args(StridePadding),
    "input_shape": get_args(InputShape),
}
"""What the named fields of a configuration may say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """Everything that is needed to build a network and to read its output.

    Attributes:
        architecture: Backbone and widths; `darknet53` is the published network.
        input_size: Width and height of the network's input, multiples of 32.
        anchors: Four boxes (width, height) for each of the three levels, coarse to fine.
        embedding_dim: Numbers in an embedding.
        activation: Of the DarkNet-53 backbone: `relu` for MindSpore's weights, else `leaky`.
        stride2_padding: Of the DarkNet-53 backbone: `bottom-right` for MindSpore's weights.
        source: Program that trained the weights; it selects the post-processing profile.
        start_score: Score with which a detection of these weights starts a track; weaker ones only
            continue one.
        input_shape: `fixed`: every picture is letterboxed into the input size. `fitted`: the input
            has the picture's shape, and about as many pixels as the input size.
        appearance_points: Points down the middle of a box where its appearance is read from the
            backbone's finest map; 0 reads what the neck says at the anchor's cell, as published.
        classes: Names of what it finds; published networks find people alone.
    """

    architecture: Architecture
    input_size: Size
    anchors: Anchors
    embedding_dim: int
    activation: Activation = "leaky"
    stride2_padding: StridePadding = "symmetric"
    source: str = "jde"
    start_score: float = PUBLISHED_SCORE
    input_shape: InputShape = "fixed"
    appearance_points: int = 0
    classes: tuple[str, ...] = PEOPLE

    def __post_init__(self) -> None:
        check_input_size(self.input_size)
        for name, choices in CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        if [len(level) for level in self.anchors] != [4, 4, 4]:
            raise InputError("anchors must hold four (width, height) pairs for each of 3 levels")
        if any(side <= 0 for level in self.anchors for anchor in level for side in anchor):
            raise InputError("anchors must have positive widths and heights")
        check_numbers(self)
        check_classes(self.classes)

    def to_json(self) -> str:
        """Return the configuration as JSON, as weight files carry it.

        Of what came with later versions it says only what isn't as it was before them, so that
        files of published networks stay those of older versions.
        """
        entries = asdict(self)
        for name, before in BEFORE.items():
            if entries[name] == before:
                del entries[name]
        return json.dumps(entries, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "ModelConfig":
        """Return the configuration that `to_json` wrote.

        Raises:
            InputError: The text is no JSON object with exactly the known fields.
        """
        try:
            entries: dict[str, Any] = BEFORE | json.loads(text)
            for name, choices in CHOICES.items():
                check_choice(name, entries[name], choices)
            for name, kind in (
                ("embedding_dim", int),
                ("appearance_points", int),
                ("source", str),
            ):
                if type(entries[name]) is not kind:
                    raise InputError(f"{name} must be of type {kind.__name__}")
            entries["start_score"] = float(entries.get("start_score", PUBLISHED_SCORE))
            entries["input_size"] = tuple(map(int, entries["input_size"]))
            entries["anchors"] = tuple(
                tuple((float(width), float(height)) for width, height in level)
                for level in entries["anchors"]
            )
            entries["classes"] = tuple(entries["classes"])
            return cls(**entries)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"the model configuration can't be read: {error}") from error


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse a field that says none of its choices.

    Raises:
        InputError: The message lists the choices.
    """
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def check_numbers(config: ModelConfig) -> None:
    """Refuse numbers that mean nothing.

    Raises:
        InputError: The message names the field and what it may be.
    """
    if not 0 <= config.start_score <= 1:
        raise InputError(f"start_score must be from 0 to 1, got {config.start_score}")
    if config.embedding_dim < 1:
        raise InputError(f"embedding_dim must be positive, got {config.embedding_dim}")
    points = config.appearance_points
    if points < 0 or (points and config.embedding_dim % points):
        raise InputError(
            f"appearance_points must be 0 or divide embedding_dim, {config.embedding_dim}, got "
            f"{points}"
        )


def check_classes(names: tuple[str, ...]) -> None:
    """Refuse classes that can't be told apart by their names.

    Raises:
        InputError: There is none, or a name is empty, no text or there twice.
    """
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise InputError(f"classes must be names, at least one, got {list(names)}")
    if len(set(names)) != len(names):
        raise InputError(f"classes must differ, got {', '.join(names)}")


def check_input_size(size: Size) -> None:
    """Refuse an input size that the three levels can't share.

    Raises:
        InputError: A side is no positive multiple of 32; the message names the nearest good size.
    """
    if any(side < STRIDE or side % STRIDE for side in size):
        width, height = (max(STRIDE, round(side / STRIDE) * STRIDE) for side in size)
        raise InputError(
            f"input size {size[0]}x{size[1]} must have sides that are multiples of {STRIDE}; "
            f"the nearest is {width}x{height}"
        )
