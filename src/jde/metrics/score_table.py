"""Scores as text in columns."""

from collections.abc import Mapping

Score = int | float
"""A count, or a share from 0 to 1."""


def render_table(rows: Mapping[str, Mapping[str, Score]]) -> str:
    """Return lines of aligned columns, with shares in per cent."""
    header = ["", *next(iter(rows.values()))]
    body = [[name, *map(_cell, row.values())] for name, row in rows.items()]
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        )
        for line in [header, *body]
    )


def _cell(value: Score) -> str:
    return str(value) if isinstance(value, int) else f"{100 * value:.2f}"
