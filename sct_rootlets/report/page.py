"""The page itself: one HTML file with everything in it, which asks nothing of any network.

A table, readable without any script; the script that sorts, filters, steps and marks; and at the
end the large pictures as text, which a browser decodes when one is looked at.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html import escape
from importlib import resources
from pathlib import Path
from typing import IO, Any

from sct_rootlets import __version__
from sct_rootlets.colours import colour_of
from sct_rootlets.files.record import page_proof
from sct_rootlets.qc.pictures import Pictures
from sct_rootlets.report.dialogs import dialogs
from sct_rootlets.report.strips import Scale, axis_svg, strip_svg, summary_svg
from sct_rootlets.report.subject import LevelLine, Subject
from sct_rootlets.report.verdict import FAILED, STATUSES

__all__ = ["FAILED", "STATUSES", "put_pictures", "without_large", "write"]

#: Nothing from anywhere but the page itself, whatever a name in it holds.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
#: Columns: name, by what they are sorted, heading.
_COLUMNS = (
    ("mark", "mark", "Mark"),
    ("look", "", "Look"),
    ("image", "name", "Image"),
    ("status", "score", "Status"),
    ("levels", "", "Levels"),
    ("measured", "measured", "Measured"),
    ("worst", "worst", "Worst"),
    ("warnings", "warnings", "Warnings"),
    ("model", "model", "Model, definition"),
    ("note", "note", "Note"),
)
_HELP = {
    "Worst": "Largest distance of a length or a position from the population, in standard "
    "deviations",
    "Measured": "Levels whose rootlets were seen",
}


def put_pictures(file: IO[bytes], number: int, subject: Subject) -> None:
    """Write the large pictures of a result, as the page has them, into `file`."""
    if subject.pictures is None:
        return
    for name, content in (("marked", subject.pictures.marked), ("bare", subject.pictures.bare)):
        if content:
            text = base64.b64encode(content)
            head = f'<script type="text/plain" id="{name}-{number}">'.encode()
            file.write(head + text + b"</script>\n")


def without_large(subject: Subject) -> Subject:
    """Return a result with its thumbnail alone."""
    if subject.pictures is None:
        return subject
    small: Pictures = replace(subject.pictures, marked=b"", bare=b"")
    return replace(subject, pictures=small)


def write(
    path: Path,
    subjects: Sequence[Subject],
    pictures: IO[bytes],
    *,
    title: str,
    identity: str,
    name: str = "",
) -> int:
    """Write the page.

    Parameters
    ----------
    path : Path
    subjects : sequence of Subject
    pictures : file
        What :func:`put_pictures` wrote, for each of them by its number.
    title : str
    identity : str
        What tells this batch from others in the marks that a browser keeps. Only its hash is
        in the page.
    name : str
        That the page will have, for :func:`sct_rootlets.files.record.page_proof`.

    Returns
    -------
    int
        Size of the page, bytes.
    """
    scale = Scale.of(subjects)
    order = sorted(range(len(subjects)), key=lambda number: _score(subjects[number]), reverse=True)
    with open(path, "wb") as file:
        head = _head(subjects, scale, title, page_proof([name]))
        rows = "".join(_row(number, subjects[number], scale) for number in order)
        data = {
            "batch": hashlib.sha256(identity.encode()).hexdigest()[:16],
            "title": title,
            "subjects": [_data(subject) for subject in subjects],
        }
        file.write(head.encode())
        file.write(f"<tbody>\n{rows}</tbody>\n</table>\n</main>\n{dialogs()}\n".encode())
        file.write(f'<script type="application/json" id="data">{_json(data)}</script>\n'.encode())
        file.write(f"<script>\n{_asset('report.js')}</script>\n".encode())
        pictures.seek(0)
        shutil.copyfileobj(pictures, file)
        file.write(b"</body>\n</html>\n")
        return file.tell()


def _score(subject: Subject) -> tuple[float, ...]:
    """Return how bad a result is: by its status, by whether it has a table, by its values."""
    return (
        -list(STATUSES).index(subject.verdict.status),
        int(not subject.lines),
        round(subject.worst, 3),
    )


def _head(subjects: Sequence[Subject], scale: Scale | None, title: str, proof: str) -> str:
    counts = dict.fromkeys(STATUSES, 0)
    for subject in subjects:
        counts[subject.verdict.status] += 1
    chips = "".join(
        f'<button type="button" class="chip {status}" data-filter="{status}" '
        f'title="{escape(meaning, quote=True)}" aria-pressed="false">'
        f"<b>{counts[status]}</b> {status}</button>"
        for status, meaning in STATUSES.items()
    )
    many = f"{len(subjects)} image{'s' * (len(subjects) != 1)}"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="sct_rootlets report {__version__}">
{proof}
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}: spinal levels of {many}</title>
<style>
{_asset("report.css")}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p class="sub">Spinal levels of {many}; sct_rootlets {escape(__version__)},
{date.today().isoformat()}</p>
<div class="bar" role="toolbar" aria-label="Filter and marks">
<button type="button" class="chip all" data-filter="" aria-pressed="true"><b>{len(subjects)}</b>
all</button>{chips}
<label>Find <input type="search" id="find" placeholder="name, reason, note"></label>
<label>Marks <select id="marks"><option value="">any</option>
<option value="none">not marked</option><option value="pass">pass</option>
<option value="fail">fail</option><option value="artifact">artefact</option></select></label>
<span id="shown" role="status"></span>
</div>
<div class="bar">
<button type="button" id="save-fail">Save fails</button>
<button type="button" id="save-artifact">Save artefacts</button>
<button type="button" id="save-pass">Save passes</button>
<button type="button" id="save-all">Save all marks</button>
<label class="file">Load marks <input type="file" id="load" accept=".yml,.yaml,.json" multiple>
</label>
<button type="button" id="help">Keys <kbd>?</kbd></button>
<span id="marked" role="status"></span>
</div>
<p id="unkept" class="warning" hidden>This browser does not keep marks: save them before you leave
the page.</p>
<noscript><p class="warning">Without scripts this page is a table: nothing opens, and nothing can be
marked.</p></noscript>
</header>
<main>
<table id="results">
<caption class="hidden">Results, the worst first</caption>
<thead>
<tr>{"".join(_heading(*column) for column in _COLUMNS)}</tr>
{_axis_row(subjects, scale)}</thead>
"""


def _heading(name: str, key: str, text: str) -> str:
    hint = f' title="{escape(_HELP[text], quote=True)}"' if text in _HELP else ""
    if not key:
        return f'<th scope="col" class="{name}">{text}</th>'
    return (
        f'<th scope="col" class="{name}"><button type="button" data-sort="{key}"{hint}>{text}'
        "</button></th>"
    )


def _axis_row(subjects: Sequence[Subject], scale: Scale | None) -> str:
    """Return the second row of the heading: the axis of the strips, and all results' medians."""
    if scale is None:
        return ""
    before = next(k for k, column in enumerate(_COLUMNS) if column[0] == "levels")
    after = len(_COLUMNS) - before - 1
    return (
        f'<tr class="axis"><td colspan="{before}">medians of all results, mm from '
        f"{escape(scale.landmark)}</td><td>{axis_svg(scale)}<br>{summary_svg(subjects, scale)}</td>"
        f'<td colspan="{after}"></td></tr>\n'
    )


def _row(number: int, subject: Subject, scale: Scale | None) -> str:
    verdict = subject.verdict
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons[:4])
    more = len(verdict.reasons) - 4
    if more > 0:
        reasons += f"<li>and {more} more</li>"
    cells = {
        "mark": '<button type="button" class="mark" aria-label="not marked"></button>',
        "look": _thumbnail(subject),
        "image": f"<b>{escape(subject.name)}</b><br>"
        f'<span class="quiet">{escape(subject.folder)}</span>',
        "status": f'<span class="chip {verdict.status}">{verdict.status}</span>'
        + (f"<ul>{reasons}</ul>" if reasons else ""),
        "levels": strip_svg(subject, scale) or '<span class="quiet">n/a</span>',
        "measured": str(subject.measured),
        "worst": f"{subject.worst:.1f}" if subject.worst else "",
        "warnings": str(len(subject.warnings) or ""),
        "model": "<br>".join(
            escape(subject.facts[key]) for key in ("Model", "Definition") if key in subject.facts
        ),
        "note": "",
    }
    inner = "".join(f'<td class="{name}">{cells[name]}</td>' for name, _, _ in _COLUMNS)
    return f'<tr id="row-{number}" data-number="{number}" class="{verdict.status}">{inner}</tr>\n'


def _thumbnail(subject: Subject) -> str:
    name = escape(subject.name, quote=True)
    if subject.pictures is None:
        return f'<button type="button" class="open" aria-label="Open {name}">details</button>'
    text = base64.b64encode(subject.pictures.thumbnail).decode("ascii")
    wide, tall = subject.pictures.thumbnail_size
    return (
        f'<button type="button" class="open"><img alt="Open {name}" width="{wide}" '
        f'height="{tall}" loading="lazy" decoding="async" '
        f'src="data:image/webp;base64,{text}"></button>'
    )


def _data(subject: Subject) -> dict[str, Any]:
    """Return what the script knows of a result."""
    pictures = subject.pictures
    return {
        "key": subject.key,
        "name": subject.name,
        "status": subject.verdict.status,
        "reasons": list(subject.verdict.reasons),
        "score": list(_score(subject)),
        "worst": round(subject.worst, 3),
        "measured": subject.measured,
        "origin": subject.origin,
        "levels": [_level(line) for line in subject.lines],
        "warnings": list(subject.warnings),
        "facts": dict(subject.facts),
        "digest": subject.digest,
        "size": None if pictures is None else list(pictures.size),
    }


def _level(line: LevelLine) -> dict[str, Any]:
    row = line.row
    known: dict[str, Any] = {
        "name": str(row.level),
        "colour": colour_of(row.level.value),
        "status": row.status,
        "rostral": _mm(row.rostral_mm, row.rostral_sd_mm),
        "caudal": _mm(row.caudal_mm, row.caudal_sd_mm),
        "length": _mm(row.length_mm, row.length_sd_mm),
        "flags": ", ".join(row.flags),
    }
    for name, one in (("length", line.length), ("midpoint", line.midpoint)):
        if one is not None:
            known[f"{name}_expected"] = _mm(one.mean_mm, one.sd_mm)
            known[f"{name}_z"] = round(one.z, 2)
            known[f"{name}_far"] = one.is_outlier
    return known


def _mm(value: float | None, sd: float | None) -> str:
    if value is None:
        return "n/a"
    return f"{value:.1f}" if sd is None else f"{value:.1f} ± {sd:.1f}"


def _json(value: Any) -> str:
    """Return JSON that no text in it can end the script that holds it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )


def _asset(name: str) -> str:
    return (resources.files("sct_rootlets.report") / "assets" / name).read_text("utf-8")
