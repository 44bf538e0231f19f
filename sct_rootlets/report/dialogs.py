"""The windows of the page, empty: one result in large, which the script fills, and the keys."""

from __future__ import annotations

__all__ = ["dialogs"]


def dialogs() -> str:
    """Return both."""
    marks = "".join(
        f'<button type="button" data-mark="{mark}">{text} <kbd>{key}</kbd></button>'
        for mark, text, key in (
            ("pass", "Pass", "1"),
            ("fail", "Fail", "2"),
            ("artifact", "Artefact", "3"),
            ("", "No mark", "0"),
        )
    )
    return f"""<dialog id="large" aria-labelledby="large-title">
<div class="bar"><button type="button" id="previous" aria-label="Previous">&larr; <kbd>k</kbd>
</button><button type="button" id="next" aria-label="Next"><kbd>j</kbd> &rarr;</button>
<h2 id="large-title"></h2><span id="large-status"></span>
<span class="marks" role="group" aria-label="Mark">{marks}</span>
<label><input type="checkbox" id="overlay" checked> What was found <kbd>&rarr;</kbd></label>
<button type="button" id="close">Close <kbd>Esc</kbd></button></div>
<div class="bar"><label class="wide">Note <kbd>n</kbd> <input type="text" id="note"></label></div>
<ul id="large-reasons"></ul>
<img id="picture" alt="">
<p id="no-picture" class="quiet" hidden>There is no picture.</p>
<div class="columns"><div><h3>Levels</h3><table id="large-levels"></table></div>
<div><h3>Warnings</h3><ul id="large-warnings"></ul><h3>How it was made</h3>
<table id="large-facts"></table></div></div>
</dialog>
<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2>
<table>
<tr><td><kbd>j</kbd> <kbd>k</kbd> or <kbd>&darr;</kbd> <kbd>&uarr;</kbd></td>
<td>next and previous image</td></tr>
<tr><td><kbd>Enter</kbd> or <kbd>o</kbd></td><td>open it; <kbd>Esc</kbd> closes it</td></tr>
<tr><td><kbd>&rarr;</kbd></td><td>show and hide what was found</td></tr>
<tr><td><kbd>f</kbd></td><td>mark: pass, fail, artefact, none, in turns, as in SCT</td></tr>
<tr><td><kbd>1</kbd> <kbd>2</kbd> <kbd>3</kbd> <kbd>0</kbd></td>
<td>mark: pass, fail, artefact, none</td></tr>
<tr><td><kbd>n</kbd></td><td>write a note; <kbd>Enter</kbd> ends it</td></tr>
<tr><td><kbd>/</kbd></td><td>find</td></tr>
<tr><td><kbd>?</kbd></td><td>this list</td></tr>
</table><button type="button" id="keys-close">Close</button></dialog>"""
