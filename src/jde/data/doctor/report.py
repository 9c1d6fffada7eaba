"""The examination as text for a terminal and as an HTML page without other files."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape

import cv2

from jde.data.doctor.anchor_fit import AnchorFit, Sizes
from jde.data.doctor.charts import histogram, size_scatter
from jde.data.doctor.examination import Examination, GroupCounts
from jde.data.doctor.findings import Finding
from jde.structures.frame import Image

LEVELS = 3
MAX_PEOPLE_BINS, HEIGHT_BINS = 40, 40
SHEET_QUALITY = 85
HEADINGS = ("list or sequence", "pictures", "empty", "boxes", "without identity", "identities")
STYLE = """
:root { --ink: #1d2430; --soft: #667085; --line: #e4e7ec; --accent: #2563eb; --warn: #b45309; }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1180px; padding: 32px 28px 64px; color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; background: #fff }
h1 { font-size: 26px; margin: 0 } h2 { font-size: 18px; margin: 36px 0 10px }
p { margin: 4px 0 } .soft { color: var(--soft) } code { font-size: 13px; word-break: break-all }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
  margin-top: 20px }
.tile { border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px }
.tile b { display: block; font-size: 24px }
table { border-collapse: collapse; width: 100% } th, td { text-align: right; padding: 6px 10px;
  border-bottom: 1px solid var(--line) } th { color: var(--soft); font-weight: 500 }
th:first-child, td:first-child { text-align: left }
.finding { border-left: 4px solid var(--warn); background: #fffaf3; border-radius: 6px;
  padding: 10px 16px; margin: 10px 0 } .fine { border-color: #15803d; background: #f3fbf5 }
.finding ul { margin: 6px 0 0; padding-left: 18px }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 20px }
figure { margin: 0 } figcaption { font-weight: 500 } svg { width: 100%; height: auto }
.tick { font-size: 11px; fill: var(--soft) } .axis { font-size: 12px; fill: var(--soft) }
.grid { stroke: var(--line) } .bar { fill: #93b4f5 } .dot { fill: #93b4f5; opacity: .45 }
.marker { stroke: var(--warn); stroke-dasharray: 4 3 }
.anchor { stroke: var(--warn); stroke-width: 2 } .suggestion { stroke: #15803d; stroke-width: 2 }
img { max-width: 100%; border: 1px solid var(--line); border-radius: 6px }
"""


def as_text(examination: Examination) -> str:
    """Return the examination for a terminal."""
    rows = [HEADINGS, *_rows(examination.groups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines += ["", *_class_line(examination), *_anchor_lines(examination), ""]
    for finding in examination.findings:
        lines.append(f"! {finding.title}")
        lines += [f"    {text}" for text in (finding.meaning, *finding.examples)]
    if not examination.findings:
        lines.append("Nothing stands against training on this set.")
    return "\n".join(lines)


def as_html(title: str, examination: Examination, sheet: Image | None) -> str:
    """Return the examination as one page, with `sheet` in it."""
    total = _total(examination.groups)
    width, height = examination.network
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">Sizes are pixels of a {width} x {height} network input.</p>',
        _tiles(total, len(examination.findings)),
        "<h2>What was noticed</h2>",
        *(_finding(one) for one in examination.findings or [_NOTHING]),
        "<h2>What is in it</h2>",
        _table(HEADINGS, _rows(examination.groups)),
        *(f'<p class="soft">{line}</p>' for line in _class_line(examination)),
        *_sizes_in_html(examination),
        *([] if sheet is None else ["<h2>Contact sheet</h2>", _picture(sheet)]),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>"
    )


def as_yaml(anchors: Sizes) -> str:
    """Return anchors, large to small, as `model.anchors` of a training configuration."""
    return str(_by_level(anchors))


def levels_of(anchors: Sizes) -> list[str]:
    """Return anchors, large to small, as one line for each level of the network."""
    return [
        ", ".join(f"{width}x{height}" for width, height in level) for level in _by_level(anchors)
    ]


def _by_level(anchors: Sizes) -> list[list[list[int]]]:
    count = -(-len(anchors) // LEVELS)
    rows = anchors.round().astype(int).tolist()
    return [rows[start : start + count] for start in range(0, len(rows), count)]


_NOTHING = Finding("nothing", "Nothing stands against training on this set.")


def _class_line(examination: Examination) -> Iterator[str]:
    if len(examination.classes) > 1:
        counts = ", ".join(f"{kind}: {count:,}" for kind, count in examination.classes.items())
        yield f"Boxes by class: {counts}"


def _anchor_lines(examination: Examination) -> Iterator[str]:
    if examination.fit is None or examination.suggestion is None:
        return
    width, height = examination.network
    yield f"Anchors at {width}x{height}: {_fit_in_words(examination.fit)}"
    yield f"By k-means on these boxes: {_fit_in_words(examination.suggestion)}"
    names = ("stride 32", "stride 16", "stride  8")
    for name, line in zip(names, levels_of(examination.suggestion.anchors), strict=False):
        yield f"  {name}: {line}"
    yield f"  in a configuration: model: {{anchors: {as_yaml(examination.suggestion.anchors)}}}"


def _fit_in_words(fit: AnchorFit) -> str:
    return f"mean overlap {fit.mean_overlap:.2f}, {fit.matched:.1%} of the boxes reach 0.5"


def _total(groups: Sequence[GroupCounts]) -> GroupCounts:
    return GroupCounts(
        name="all",
        pictures=sum(group.pictures for group in groups),
        empty=sum(group.empty for group in groups),
        boxes=sum(group.boxes for group in groups),
        unknown=sum(group.unknown for group in groups),
        identities=sum(group.identities for group in groups),
        sizes=(),
    )


def _rows(groups: Sequence[GroupCounts]) -> list[tuple[str, ...]]:
    total = [_total(groups)] if len(groups) > 1 else []
    return [_cells(group) for group in (*groups, *total)]


def _cells(group: GroupCounts) -> tuple[str, ...]:
    counts = (group.pictures, group.empty, group.boxes, group.unknown, group.identities)
    return (group.name, *(f"{count:,}" for count in counts))


def _tiles(total: GroupCounts, findings: int) -> str:
    facts = {
        "pictures": total.pictures,
        "boxes": total.boxes,
        "identities": total.identities,
        "findings": findings,
    }
    tiles = (f'<div class="tile"><b>{count:,}</b>{name}</div>' for name, count in facts.items())
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _finding(finding: Finding) -> str:
    if finding is _NOTHING:
        return f'<div class="finding fine">{finding.meaning}</div>'
    examples = "".join(f"<li><code>{escape(one)}</code></li>" for one in finding.examples)
    return (
        f'<div class="finding"><b>{escape(finding.title)}</b><p>{escape(finding.meaning)}</p>'
        f"{f'<ul>{examples}</ul>' if examples else ''}</div>"
    )


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _sizes_in_html(examination: Examination) -> Iterator[str]:
    if examination.fit is None or examination.suggestion is None:
        return
    fit, suggestion, sizes = examination.fit, examination.suggestion, examination.sizes
    heights = histogram(
        sizes[:, 1],
        bins=HEIGHT_BINS,
        x_title="height of the boxes, pixels in the network",
        markers=fit.anchors[:, 1].tolist(),
    )
    people = examination.people
    crowd = histogram(
        people, bins=min(int(people.max()) + 1, MAX_PEOPLE_BINS), x_title="people in a picture"
    )
    yield "<h2>Sizes and anchors</h2>"
    yield '<div class="charts">'
    yield _figure("Heights; dashed: the anchors", heights)
    yield _figure(
        "Shapes; orange: the anchors, green: by k-means",
        size_scatter(sizes, fit.anchors, suggestion.anchors),
    )
    yield _figure("People in a picture", crowd)
    yield "</div>"
    rows = [
        (name, f"{one.mean_overlap:.3f}", f"{one.matched:.1%}", *levels_of(one.anchors))
        for name, one in (("the network's", fit), ("by k-means on these boxes", suggestion))
    ]
    headings = ("anchors", "mean overlap", "reach 0.5", "stride 32", "stride 16", "stride 8")
    yield _table(headings, rows)
    line = f"model: {{anchors: {as_yaml(suggestion.anchors)}}}"
    yield f'<p class="soft">In a configuration: <code>{line}</code></p>'


def _figure(caption: str, drawing: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{drawing}</figure>"


def _picture(image: Image) -> str:
    quality = [cv2.IMWRITE_JPEG_QUALITY, SHEET_QUALITY]
    _, content = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
    data = b64encode(content.tobytes()).decode()
    return f'<img alt="pictures with their labels" src="data:image/jpeg;base64,{data}">'
