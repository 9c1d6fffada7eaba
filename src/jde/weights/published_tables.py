"""Score tables that the published programs print, as data, and ours beside them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from jde.structures.errors import InputError
from jde.structures.letterbox import Size

OVERALL = "OVERALL"
COLUMNS = {"Rcll": "recall", "Prcn": "precision"}
"""Columns that reports of ours call otherwise."""

PERCENTAGES = {"MOTA", "IDF1", "IDP", "IDR", "Rcll", "Prcn"}
"""Columns that tables hold in per cent and reports as shares."""

DISTANCES = {"MOTP"}
COUNTS = {"GT", "MT", "PT", "ML", "FP", "FN", "IDs", "FM", "IDt", "IDa", "IDm"}

Row = Mapping[str, float | int]


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedTable:
    """Scores that somebody published for some weights.

    Attributes:
        name: What users write.
        profile: Program whose conventions the scores follow.
        input_size: Width and height of the network's input.
        benchmark: Sequences that were scored.
        origin: Where the table was published.
        note: What to know before comparing.
        rows: Columns by sequence; `OVERALL` for all of them together.
    """

    name: str
    profile: str
    input_size: Size
    benchmark: str
    origin: str
    note: str
    rows: Mapping[str, Row]

    @property
    def sequences(self) -> list[str]:
        """Names of the sequences with a row of their own."""
        return [name for name in self.rows if name != OVERALL]


def published_names() -> list[str]:
    """Return the names of the tables that come with the package."""
    folder = resources.files("jde.weights") / "published"
    return sorted(item.name.removesuffix(".json") for item in folder.iterdir())


def find_table(name: str) -> PublishedTable:
    """Return a table of the package, or of a JSON file of the same form.

    Raises:
        InputError: There is no such table; the message says the nearest.
    """
    if name.endswith(".json"):
        return parse_table(Path(name).read_text(), name)
    names = published_names()
    if name not in names:
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
        raise InputError(f"there is no published table called {name!r}; {hint}")
    file = resources.files("jde.weights") / "published" / f"{name}.json"
    return parse_table(file.read_text(), name)


def parse_table(text: str, origin: str) -> PublishedTable:
    """Return the table of a JSON text.

    Raises:
        InputError: It is none; the message names what is missing.
    """
    try:
        entries: dict[str, Any] = json.loads(text)
        entries["input_size"] = tuple(map(int, entries["input_size"]))
        rows = {
            name: {column: float(value) for column, value in row.items()}
            for name, row in entries["rows"].items()
        }
        check_columns(rows)
        return PublishedTable(**{**entries, "rows": rows})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{origin}: not a table of published scores: {error}") from error


def check_columns(rows: Mapping[str, Row]) -> None:
    """Refuse rows that can't be laid beside ours.

    Raises:
        ValueError: There are none, they differ in their columns, or a column is unknown.
    """
    kinds = {tuple(row) for row in rows.values()}
    if len(kinds) != 1:
        raise ValueError("rows must all have the same columns")
    if unknown := set(kinds.pop()) - PERCENTAGES - DISTANCES - COUNTS:
        raise ValueError(f"unknown column {min(unknown)!r}")


def compare_table(table: PublishedTable, measured: Mapping[str, Row]) -> str:
    """Return published and measured scores beside each other, with their differences.

    Args:
        table: What was published.
        measured: Columns of our report by sequence: shares from 0 to 1, and counts.
    """
    columns = list(next(iter(table.rows.values())))
    lines = [["", "", *columns]]
    for name, row in table.rows.items():
        ours = [as_published(column, measured[name]) for column in columns]
        theirs = [row[column] for column in columns]
        differences = [mine - yours for mine, yours in zip(ours, theirs, strict=True)]
        lines.append([name, "published", *map(spell, columns, theirs)])
        lines.append(["", "measured", *map(spell, columns, ours)])
        lines.append(
            [
                "",
                "difference",
                *(spell(*pair, sign="+") for pair in zip(columns, differences, strict=True)),
            ]
        )
    return align(lines)


def as_published(column: str, row: Row) -> float:
    """Return a score of ours in the unit of published tables."""
    value = row[COLUMNS.get(column, column)]
    return float(100 * value if column in PERCENTAGES else value)


def spell(column: str, value: float, *, sign: str = "") -> str:
    """Return a score as the published programs print it."""
    if column in PERCENTAGES:
        return f"{value:{sign}.1f}"
    return f"{value:{sign}.3f}" if column in DISTANCES else f"{value:{sign}.0f}"


def align(lines: list[list[str]]) -> str:
    """Return rows as text with columns under each other: words left, numbers right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)  # noqa: PLR2004 (two of words)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
