"""A small self-contained HTML page: the figure, the table, the warnings, the parameters.

The page asks nothing of the network: the figure is embedded, the style is in the page.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from sct_rootlets import __version__
from sct_rootlets.colours import colour_of
from sct_rootlets.files.record import page_proof

if TYPE_CHECKING:
    from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
    from sct_rootlets.qc.mosaic import Mosaic

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
.layers{position:relative;background:#000}.layers img{display:block;width:100%}
.layers img+img{position:absolute;top:0;left:0}
#overlay:not(:checked)~.layers img+img{visibility:hidden}
label{cursor:pointer;user-select:none}kbd{border:1px solid #66707f;border-radius:3px;
padding:0 .35em}
"""

#: The key with which SCT's report shows and hides the overlay does so here.
_SCRIPT = """
document.addEventListener("keydown", event => {
  if (event.key !== "ArrowRight") return;
  event.preventDefault();
  const box = document.getElementById("overlay");
  box.checked = !box.checked;
});
"""


def page(
    *,
    title: str,
    warnings: Iterable[str],
    facts: Mapping[str, Any],
    png: bytes | None = None,
    table: LevelTable | None = None,
    mosaic: Mosaic | None = None,
    names: Iterable[str] = (),
) -> str:
    """Return the text of the page.

    Parameters
    ----------
    title : str
        File name of the image.
    warnings : iterable of str
    facts : mapping
        Model, version, parameters: what is listed at the end, in this order.
    png : bytes, optional
        The figure.
    table : LevelTable, optional
        Without it the page is about rootlets alone.
    mosaic : Mosaic, optional
        Planes across the whole cord, whose overlay the reader can hide.
    names : iterable of str
        File names of the page and of what is written with it, for
        :func:`sct_rootlets.files.record.page_proof`.
    """
    notes = "".join(f'<p class="warning">{escape(text)}</p>' for text in warnings)
    listed = "".join(
        f'<tr><td>{escape(str(name))}</td><td class="text wrap">{escape(str(value))}</td></tr>'
        for name, value in facts.items()
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="sct_rootlets {escape(__version__)}">
{page_proof(names)}
<meta name="viewport" content="width=device-width">
<title>{"Rootlets" if table is None else "Spinal levels"} of {escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="sub">{_subtitle(table)}</p>
{notes}
{"" if png is None else _figure(png)}
{"" if mosaic is None else _layers(mosaic)}
{"" if table is None else _levels(table)}
<h2>How it was made</h2>
<table>{listed}</table>
</body>
</html>
"""


def _subtitle(table: LevelTable | None) -> str:
    if table is None:
        return "Rootlets"
    return (
        f"Spinal levels, definition <b>{escape(table.definition)}</b>; mm along the cord\n"
        f"from the {escape(table.origin)}, caudal-positive"
    )


def _figure(png: bytes) -> str:
    return f"""<img alt="Levels on the image from the side, across and around the cord"
src="{_embedded(png)}">"""


def _levels(table: LevelTable) -> str:
    return f"""<h2>Levels</h2>
<table>
<tr><th>level</th><th class="text">status</th><th>rostral mm</th><th>caudal mm</th>
<th>midpoint mm</th><th>length mm</th><th class="text">flags</th></tr>
{"".join(_row(row) for row in table.rows)}
</table>"""


def _layers(mosaic: Mosaic) -> str:
    """Return the section of the mosaic, whose overlay goes with a click or a key."""
    return f"""<h2>All along the cord</h2>
<input type="checkbox" id="overlay" checked>
<label for="overlay">What was found (<kbd>&rarr;</kbd> shows and hides it)</label>
<div class="layers">
<img alt="The median sheet of the cord and planes across it" src="{_embedded(mosaic.background)}">
<img alt="Rootlets, cord and levels on them" src="{_embedded(mosaic.overlay)}">
</div>
<script>{_SCRIPT}</script>"""


def _embedded(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


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
