"""Which classes of a user's annotation count as a person."""

from collections.abc import Collection, Mapping
from pathlib import Path

from jde.data.prepare.prepared import Selection
from jde.structures.errors import InputError

PERSON_NAMES = frozenset({"pedestrian", "people", "person", "persons"})


def person_numbers(
    names: Mapping[int, str], selection: Selection, annotation: Path
) -> dict[int, int]:
    """Return the numbers of the classes to take and what is written for each.

    They are those that the selection names or numbers, else those called person.

    Raises:
        InputError: None of the classes is wanted; the message lists them.
    """
    kinds = selection.kinds(PERSON_NAMES)
    found = {
        number: kinds[key]
        for number, name in names.items()
        for key in (str(number), name.lower())
        if key in kinds
    }
    if not found:
        raise unknown_classes(annotation, kinds, names.values())
    return found


def unknown_classes(annotation: Path, asked: Collection[str], names: Collection[str]) -> InputError:
    """Return the error for a file without any of the classes asked for."""
    return InputError(
        f"{annotation}: has no class {' or '.join(sorted(asked))}; choose among its own with "
        f"--classes: {', '.join(sorted(names)) or '(it names none)'}"
    )
