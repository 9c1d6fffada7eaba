"""Which classes of a user's annotation count as a person."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from jde.structures.errors import InputError

PERSON_NAMES = frozenset({"pedestrian", "people", "person", "persons"})


def person_numbers(
    names: Mapping[int, str], wanted: Sequence[str], annotation: Path
) -> frozenset[int]:
    """Return the numbers of the classes to keep: by name or number, else those called person.

    Raises:
        InputError: None of the classes is wanted; the message lists them.
    """
    asked = {name.lower() for name in wanted} or PERSON_NAMES
    found = {number for number, name in names.items() if asked & {name.lower(), str(number)}}
    if not found:
        raise unknown_classes(annotation, asked, names.values())
    return frozenset(found)


def unknown_classes(annotation: Path, asked: Collection[str], names: Collection[str]) -> InputError:
    """Return the error for a file without any of the classes asked for."""
    return InputError(
        f"{annotation}: has no class {' or '.join(sorted(asked))}; choose among its own with "
        f"--classes: {', '.join(sorted(names)) or '(it names none)'}"
    )
