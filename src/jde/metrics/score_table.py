"""Scores as text in columns."""

from collections.abc import Mapping


def render_table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return lines of aligned columns: shares (floats) in per cent, counts (ints) as they are."""
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


def _cell(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{100 * value:.2f}"
