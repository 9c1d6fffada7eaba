"""What is worth a person's attention before training on a data set."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from jde.data.doctor.inspection import InspectedPicture

OUTSIDE = 0.01
"""Boxes that reach further out than this share of the picture are counted."""
MIN_HEIGHT = 12.0
"""Pixels of the network's input below which a person covers hardly a cell of the finest level."""
EXAMPLES = 5
Edges = Float64[np.ndarray, " n"]
Fault = Callable[[Edges, Edges, Edges, Edges], Bool[np.ndarray, " n"]]
"""Which boxes have it, by their left, top, right and bottom edges as shares of the picture."""
MANY_EMPTY = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was noticed.

    Attributes:
        title: What it is, with its number.
        meaning: What it does to a training, and what mends it.
        examples: Where to look.
    """

    title: str
    meaning: str
    examples: tuple[str, ...] = ()


def find_all(pictures: Sequence[InspectedPicture], heights: Sequence[float]) -> list[Finding]:
    """Return everything that was noticed, the worst first.

    Args:
        pictures: The data set.
        heights: Height of every box in pixels of the network's input.
    """
    checks: list[Callable[[Sequence[InspectedPicture]], Iterator[Finding]]] = [
        _broken_pictures,
        _broken_labels,
        _no_identities,
        _doubled_identities,
        _seen_once,
        _unused_identities,
        _flat,
        _away,
        _outside,
        _listed_twice,
        _empty,
    ]
    found = [finding for check in checks for finding in check(pictures)]
    return [*found, *_small(heights)]


def find_shared(
    pictures: Sequence[InspectedPicture], others: Iterable[tuple[Path, bytes]], name: str
) -> Iterator[Finding]:
    """Yield a finding where pictures occur in another set, too: by content, not by name."""
    elsewhere = {digest: path for path, digest in others if digest}
    shared = [picture for picture in pictures if picture.digest in elsewhere]
    if shared:
        yield Finding(
            f"{_count(shared, 'picture')} also in {name}",
            "Scores on pictures that were trained on say nothing about new ones: take them out "
            "of one of the two.",
            _examples(f"{one.path} is {elsewhere[one.digest]}" for one in shared),
        )


def _broken_pictures(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    if problems := [one.picture_problem for one in pictures if one.picture_problem]:
        yield Finding(
            f"{_count(problems, 'damaged or missing picture')}",
            "Training skips what it can't read and learns wrong boxes on grey parts: "
            "fetch them again.",
            _examples(problems),
        )


def _broken_labels(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    if problems := [one.label_problem for one in pictures if one.label_problem]:
        yield Finding(
            f"{_count(problems, 'missing or malformed label file')}",
            "Training stops on them. A picture without people needs an empty label file.",
            _examples(problems),
        )


def _no_identities(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    boxes = sum(len(one.identities) for one in pictures)
    unknown = sum(int((one.identities < 0).sum()) for one in pictures)
    if boxes and unknown == boxes:
        yield Finding(
            "no identities at all",
            "The detector learns from these boxes, but identity learning gets nothing: add a "
            "set with identities, such as video with tracks.",
        )
    elif unknown:
        yield Finding(
            f"{unknown:,} of {boxes:,} boxes without identity",
            "They train the detector only.",
        )


def _doubled_identities(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    doubled = []
    for one in pictures:
        counts = Counter(number for number in one.identities.tolist() if number >= 0)
        doubled += [f"{one.path}: identity {key}" for key, number in counts.items() if number > 1]
    if doubled:
        yield Finding(
            f"{_count(doubled, 'identity', 'identities')} twice in one picture",
            "One person can't be in two places: the embedding is taught a contradiction. "
            "Correct the annotation.",
            _examples(doubled),
        )


def _seen_once(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    seen = _appearances(pictures)
    once = [key for key, number in seen.items() if number == 1]
    if once:
        yield Finding(
            f"{len(once):,} of {len(seen):,} identities seen once",
            "Nothing tells the embedding that two views show the same person; each still takes "
            "a row of the classifier.",
            _examples(f"{group}: identity {number}" for group, number in once),
        )


def _unused_identities(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    numbers: defaultdict[str, set[int]] = defaultdict(set)
    for group, number in _appearances(pictures):
        numbers[group].add(number)
    # Sequences of one set share their numbers; the classifier has a row up to the greatest.
    greatest = max((max(found) for found in numbers.values()), default=-1) + 1
    used = len(set().union(*numbers.values()))
    if greatest > 2 * used > 0:
        yield Finding(
            f"identity numbers up to {greatest - 1:,} for {used:,} people",
            "Every skipped number is an unused row of the classifier: memory without benefit.",
        )


def _flat(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    flat = _boxes(pictures, _is_flat)
    if flat:
        yield Finding(
            f"{_count(flat, 'box', 'boxes')} without width or height",
            "Training leaves them out: mend or delete their lines.",
            _examples(flat),
        )


def _away(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    away = _boxes(
        pictures,
        lambda left, top, right, bottom: (
            ~_is_flat(left, top, right, bottom)
            & ((left >= 1) | (top >= 1) | (right <= 0) | (bottom <= 0))
        ),
    )
    if away:
        yield Finding(
            f"{_count(away, 'box', 'boxes')} wholly out of the picture",
            "Nobody is to be seen there, and training leaves them out: mend or delete their lines.",
            _examples(away),
        )


def _outside(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    out = [
        (float(reach.max()), f"{one.path}: {reach.max():.0%} of the picture's size outside")
        for one in pictures
        if len(one.boxes)
        and (reach := np.maximum(-one.boxes[:, :2], one.boxes[:, 2:] - 1)).max() > OUTSIDE
    ]
    boxes = sum(
        int(((one.boxes < -OUTSIDE) | (one.boxes > 1 + OUTSIDE)).any(axis=1).sum())
        for one in pictures
    )
    if out:
        yield Finding(
            f"{_count(range(boxes), 'box', 'boxes')} out of the picture",
            "Usual where whole bodies are annotated at the border, as in MOT17 and CrowdHuman; "
            "else a sign of labels for another picture size.",
            _examples(text for _, text in sorted(out, reverse=True)),
        )


def _listed_twice(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    first: dict[bytes, InspectedPicture] = {}
    repeated = []
    for one in pictures:
        if one.digest:
            original = first.setdefault(one.digest, one)
            if original is not one:
                repeated.append(f"{one.path} is {original.path} ({one.group}, {original.group})")
    if repeated:
        yield Finding(
            f"{_count(repeated, 'picture')} with the content of another one",
            "Within a list they count double; between a training and a validation list they "
            "make scores worthless.",
            _examples(repeated),
        )


def _empty(pictures: Sequence[InspectedPicture]) -> Iterator[Finding]:
    empty = [one for one in pictures if not len(one.boxes) and not one.label_problem]
    if len(empty) > MANY_EMPTY * len(pictures):
        yield Finding(
            f"{len(empty):,} of {len(pictures):,} pictures without people",
            "They teach what is no person, but most of the time goes into them.",
            _examples(str(one.path) for one in empty),
        )


def _small(heights: Sequence[float]) -> Iterator[Finding]:
    small = sum(height < MIN_HEIGHT for height in heights)
    if small:
        yield Finding(
            f"{small:,} of {len(heights):,} boxes lower than {MIN_HEIGHT:g} pixels in the network",
            "They cover hardly a cell of the finest level: take a larger input size if they "
            "matter.",
        )


def _is_flat(left: Edges, top: Edges, right: Edges, bottom: Edges) -> Bool[np.ndarray, " n"]:
    return (right <= left) | (bottom <= top)


def _boxes(pictures: Sequence[InspectedPicture], fault: Fault) -> list[str]:
    """Return where the boxes with a fault are: left, top, width and height in pixels."""
    found = []
    for one in pictures:
        for box in one.boxes[fault(*one.boxes.T)]:
            left, top, right, bottom = box * np.tile(np.maximum(one.size, 1), 2)
            found.append(f"{one.path}: {left:g},{top:g},{right - left:g},{bottom - top:g}")
    return found


def _appearances(pictures: Sequence[InspectedPicture]) -> Counter[tuple[str, int]]:
    return Counter(
        (one.group, number)
        for one in pictures
        for number in set(one.identities.tolist())
        if number >= 0
    )


def _count(things: Sequence[object], singular: str, plural: str = "") -> str:
    return f"{len(things):,} {singular if len(things) == 1 else plural or singular + 's'}"


def _examples(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text, _ in zip(texts, range(EXAMPLES), strict=False))
