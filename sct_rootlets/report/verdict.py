"""What is wrong with one result, in short sentences, from its table and its files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sct_rootlets.levels.paint import UNPAINTED
from sct_rootlets.levels.table.level_table import LevelTable
from sct_rootlets.report.plausibility import Plausibility

__all__ = ["FAILED", "FLAGGED", "OK", "STATUSES", "Verdict", "judge"]

FAILED, FLAGGED, OK = "failed", "flagged", "ok"
#: The statuses of a result, worst first, and what they say.
STATUSES = {
    FAILED: "a file is missing or broken, or no level was measured",
    FLAGGED: "something to look at: an outlier, a gap, a warning",
    OK: "nothing stands out; it still has to be looked at",
}
#: Warnings that call for no look at the image: about one level, whose row in the table says it
#: too; and about points, which lie outside wherever the image ends within a level.
_ROUTINE = re.compile(rf"^[CTLS]\d+: |{re.escape(UNPAINTED)}")
#: Longest piece of a warning that a row shows; the whole is in the large view.
_SHORT = 150


@dataclass(frozen=True)
class Verdict:
    """Status of a result, and why.

    Attributes
    ----------
    status : str
        One of `STATUSES`.
    reasons : tuple of str
        Why it is not ok; the gravest first.
    """

    status: str
    reasons: tuple[str, ...]


def judge(
    table: LevelTable | None,
    plausibility: Plausibility | None,
    problems: Sequence[str] = (),
    changed: Sequence[str] = (),
) -> Verdict:
    """Judge one result.

    Parameters
    ----------
    table : LevelTable or None
        None where it cannot be read.
    plausibility : Plausibility or None
        Of the table.
    problems : sequence of str
        What is missing or broken.
    changed : sequence of str
        Files that are not those that the levels were derived of.
    """
    graver = list(problems)
    lighter: list[str] = []
    if table is not None:
        statuses = {row.status for row in table.rows}
        if not statuses & {"measured", "predicted"}:
            graver.append("no level was measured")
        if "predicted" in statuses:
            lighter.append("predicted from the vertebrae, without rootlets")
        gaps = [str(row.level) for row in table.rows if row.status == "interpolated"]
        if gaps:
            lighter.append(f"not seen between others: {', '.join(gaps)}")
        without = [f"{row.level} ({row.lacking})" for row in table.rows if row.lacking]
        if without:
            lighter.append(f"no number in the table, so counted nowhere: {', '.join(without)}")
        lighter += _outliers(plausibility)
        for flag, words in (
            ("contradicted", "borders contradict each other"),
            ("renumbered", "renumbered"),
        ):
            rows = [str(row.level) for row in table.rows if flag in row.flags]
            if rows:
                lighter.append(f"{words}: {', '.join(rows)}")
        lighter += [_short(text) for text in table.warnings if not _ROUTINE.search(text)]
    lighter += [f"changed since the levels were derived: {name}" for name in changed]
    status = FAILED if graver else FLAGGED if lighter else OK
    return Verdict(status, (*graver, *lighter))


def _outliers(plausibility: Plausibility | None) -> list[str]:
    """Return a sentence for lengths and one for positions that lie far off, worst first."""
    if plausibility is None:
        return []
    found = []
    for kind, compared, low, high in (
        ("", plausibility.lengths, "short", "long"),
        (f" for the {plausibility.landmark}", plausibility.midpoints, "rostral", "caudal"),
    ):
        far = [(level, one) for level, one in compared.items() if one.is_outlier]
        for level, one in sorted(far, key=lambda pair: -abs(pair[1].z)):
            word = high if one.z > 0 else low
            found.append(f"{level} too {word}{kind} ({one.z:+.1f} SD)")
    return found


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1].rsplit(" ", 1)[0] + "…"
