"""A small self-contained HTML page: the figure, the table, the warnings, the parameters.

The page asks nothing of the network: the figure is embedded, the style is in the page.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from sct_rootlets.qc.colours import colour_of

if TYPE_CHECKING:
    from sct_rootlets.levels.table import LevelRow, LevelTable

__all__ = ["page"]

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1b2330;max-width:1200px;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.4rem;margin-bottom:.2rem}h2{font-size:1.05rem;margin-top:2rem}
.sub{color:#66707f;margin-top:0}img{max-width:100%;height:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .9rem .25rem 0;text-align:right;border-bottom:1px solid #e3e7ec}
th{color:#66707f;font-weight:600}td:first-child,th:first-child,.text{text-align:left}
.chip{display:inline-block;width:.8em;height:.8em;border:1px solid #1b2330;margin-right:.5em}
.warning{background:#fff6dd;border-left:4px solid #e69f00;padding:.5rem .8rem;margin:.4rem 0}
.wrap{word-break:break-all}
"""


def page(
    *,
    title: str,
    png: bytes,
    table: LevelTable,
    warnings: Iterable[str],
    facts: Mapping[str, Any],
) -> str:
    """Return the text of the page.

    Parameters
    ----------
    title : str
        File name of the image.
    png : bytes
        The figure.
    table : LevelTable
    warnings : iterable of str
    facts : mapping
        Model, version, parameters: what is listed under the table, in this order.
    """
    picture = base64.b64encode(png).decode("ascii")
    notes = "".join(f'<p class="warning">{escape(text)}</p>' for text in warnings)
    listed = "".join(
        f'<tr><td>{escape(str(name))}</td><td class="text wrap">{escape(str(value))}</td></tr>'
        for name, value in facts.items()
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Spinal levels of {escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="sub">Spinal levels, definition <b>{escape(table.definition)}</b>; mm along the cord
from the {escape(table.origin)}, caudal-positive</p>
{notes}
<img alt="Levels on the image from the side, across and around the cord"
src="data:image/png;base64,{picture}">
<h2>Levels</h2>
<table>
<tr><th>level</th><th class="text">status</th><th>rostral mm</th><th>caudal mm</th>
<th>midpoint mm</th><th>length mm</th><th class="text">flags</th></tr>
{"".join(_row(row) for row in table.rows)}
</table>
<h2>How it was made</h2>
<table>{listed}</table>
</body>
</html>
"""


def _row(row: LevelRow) -> str:
    cells = "".join(
        f"<td>{_with_sd(getattr(row, f'{name}_mm'), getattr(row, f'{name}_sd_mm'))}</td>"
        for name in ("rostral", "caudal", "midpoint", "length")
    )
    chip = f'<span class="chip" style="background:{colour_of(row.level.value)}"></span>'
    return (
        f"<tr><td>{chip}{escape(row.level.name)}</td>"
        f'<td class="text">{escape(row.status)}</td>{cells}'
        f'<td class="text">{escape(", ".join(row.flags))}</td></tr>\n'
    )


def _with_sd(number: float | None, sd: float | None) -> str:
    if number is None:
        return "n/a"
    return f"{number:.1f}" if sd is None else f"{number:.1f} &plusmn; {sd:.1f}"
