"""The table of levels as text: TSV and back, the published CSV, and the terminal."""

from __future__ import annotations

import math
import textwrap

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel, disc_name
from sct_rootlets.errors import InputError
from sct_rootlets.levels.table.columns import (
    COLUMNS,
    FLAGS,
    FORMER_COLUMNS,
    PUBLISHED_COLUMNS,
    STATUSES,
    TABLE,
)
from sct_rootlets.levels.table.level_table import (
    DECIMALS,
    AxialSlices,
    LevelRow,
    LevelTable,
    Point,
    VertebralPlace,
    VertebralRelation,
)

__all__ = ["format_table", "from_tsv", "to_csv", "to_tsv"]

#: Widest line on the terminal.
_WIDTH = 100
_HEAD: tuple[str, ...] = (
    "level", "status", "rostral mm", "caudal mm", "middle", "length", "vertebra",
)  # fmt: skip
#: Cells of what is not known: ours, and what spreadsheets and pandas make of it.
_UNKNOWN = ("n/a", "", "nan")
_DISC_LABELS = {disc_name(label): label for label in range(2, 26)}


def to_tsv(table: LevelTable) -> str:
    """Return tab-separated text; ``n/a`` for what is not known."""
    table = table.rounded()
    lines = ["\t".join(COLUMNS)]
    for row in table.rows:
        lines.append("\t".join(_cell(column.get(row, table)) for column in TABLE))
    return "\n".join(lines) + "\n"


def to_csv(table: LevelTable) -> str:
    """Return the layout of the published script; empty for what is not known."""
    columns = {column.name: column for column in TABLE}
    lines = [",".join(PUBLISHED_COLUMNS)]
    for row in table.rows:
        if row.slices is not None:
            cells = [columns[name].get(row, table) for name in PUBLISHED_COLUMNS]
            lines.append(",".join("" if cell is None else _quoted(str(cell)) for cell in cells))
    return "\n".join(lines) + "\n"


def from_tsv(text: str, *, definition: str, reach_mm: float | None) -> LevelTable:
    """Read what :func:`to_tsv` wrote; errors as of `LevelTable.from_tsv`."""
    lines = [line.split("\t") for line in text.splitlines() if line.strip()]
    missing = [c for c in FORMER_COLUMNS if not lines or c not in lines[0]]
    if missing:
        raise InputError(f"a table of levels without the columns {', '.join(missing)}")
    rows = []
    fname, pmj_mm = None, None
    for number, line in enumerate(lines[1:], 2):
        try:
            cells = _Cells(zip(lines[0], line, strict=True))
            rows.append(cells.row())
            fname = cells.text("fname")
            pmj_mm = cells.pmj_mm() if pmj_mm is None else pmj_mm
        except (KeyError, ValueError) as error:
            raise InputError(f"a table of levels whose line {number} is no row") from error
    return LevelTable(tuple(rows), definition, reach_mm, pmj_mm=pmj_mm, fname=fname)


def format_table(table: LevelTable) -> str:
    """Return aligned plain text of at most 100 columns."""
    cells = [_HEAD, *(_shown(row) for row in table.rows)]
    columns = [k for k in range(len(cells[0])) if k < 6 or any(line[k] for line in cells[1:])]
    widths = {k: max(len(line[k]) for line in cells) for k in columns}
    lines = []
    for line in cells:
        padded = (
            line[k].ljust(widths[k]) if k in (0, 1, 6) else line[k].rjust(widths[k])
            for k in columns
        )
        lines.append("  ".join(padded))
    flags = _flags(table)
    answer = [f"{lines[0]}  flags" if flags else lines[0].rstrip()]
    for padded_line, row in zip(lines[1:], table.rows, strict=True):
        answer += textwrap.wrap(
            f"{padded_line}  {', '.join(row.flags)}".rstrip(),
            _WIDTH,
            subsequent_indent=" " * (len(lines[0]) + 2),
            break_long_words=False,
        )
    remarks = [f"{flag}: {FLAGS[flag]}" for flag in flags if flag in FLAGS]
    for row in table.rows:
        for note in row.notes:
            if not any(note in warning for warning in table.warnings):
                remarks.append(f"{row.level}: {note}")
    for remark in remarks:
        answer += textwrap.wrap(remark, _WIDTH, subsequent_indent="  ")
    return "\n".join(answer)


class _Cells(dict[str, str]):
    """The cells of one line of a TSV, by column; those it lacks are ``n/a``."""

    def text(self, column: str) -> str | None:
        cell = self.get(column, "n/a")
        return None if cell.lower() in _UNKNOWN else cell

    def number(self, column: str) -> float | None:
        cell = self.text(column)
        if cell is None:
            return None
        value = float(cell)
        if not math.isfinite(value):
            raise ValueError(cell)
        return value

    def row(self) -> LevelRow:
        """Return the row that the cells hold."""
        level, status = SpinalLevel[self["level"]], self["status"]
        if int(self["spinal_level"]) != level.value or status not in STATUSES:
            raise ValueError(self["spinal_level"])
        for column in FORMER_COLUMNS[3:]:
            self.number(column)
        return LevelRow(
            level,
            status,
            self.number("rostral_mm"),
            self.number("caudal_mm"),
            self._point("rostral"),
            self._point("caudal"),
            rostral_sd_mm=self.number("rostral_sd_mm"),
            caudal_sd_mm=self.number("caudal_sd_mm"),
            midpoint_sd_mm=self.number("midpoint_sd_mm"),
            length_sd_mm=self.number("length_sd_mm"),
            midpoint_world=self._point("midpoint"),
            flags=tuple((self.text("flags") or "").split(",")) if self.text("flags") else (),
            vertebral=self._vertebral(),
            slices=self._slices(),
        )

    def pmj_mm(self) -> float | None:
        """Return where the PMJ lies, None where the line does not tell."""
        s_mm, away = self.number("rostral_mm"), self.number("rostral_from_pmj_mm")
        return None if s_mm is None or away is None else round(s_mm - away, DECIMALS)

    def _point(self, place: str) -> Point | None:
        x, y, z = (self.number(f"{place}_{axis}") for axis in "xyz")
        return None if x is None or y is None or z is None else (x, y, z)

    def _place(self, place: str) -> VertebralPlace | None:
        vertebra, fraction = self.text(f"{place}_vertebra"), self.number(f"{place}_fraction")
        if vertebra is None or fraction is None:
            return None
        return VertebralPlace(VertebralLevel[vertebra], fraction)

    def _vertebral(self) -> VertebralRelation | None:
        rostral, midpoint, caudal = (self._place(p) for p in ("rostral", "midpoint", "caudal"))
        disc, away = self.text("nearest_disc"), self.number("midpoint_from_disc_mm")
        discs = {} if disc is None or away is None else {_DISC_LABELS[disc]: away}
        return (
            VertebralRelation(rostral, midpoint, caudal, discs)
            if discs or rostral or midpoint or caudal
            else None
        )

    def _slices(self) -> AxialSlices | None:
        start, end = self.text("slice_start"), self.text("slice_end")
        if start is None or end is None:
            return None
        distances = (
            self.number(name)
            for name in ("distance_from_pmj_start", "distance_from_pmj_end", "height")
        )
        return AxialSlices(int(start), int(end), *distances)


def _flags(table: LevelTable) -> list[str]:
    """Return the flags of all rows, each once, in the order of `FLAGS`."""
    found = dict.fromkeys(flag for row in table.rows for flag in row.flags)
    return sorted(found, key=lambda flag: [*FLAGS, flag].index(flag))


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return "n/a"
    return _fixed(value, DECIMALS) if isinstance(value, float) else str(value)


def _quoted(cell: str) -> str:
    """Return a cell of a CSV, quoted where a comma or a quote asks for it."""
    if not any(special in cell for special in ',"\n'):
        return cell
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


def _shown(row: LevelRow) -> tuple[str, ...]:
    """Return the cells of a row for the terminal."""
    place = None if row.vertebral is None else row.vertebral.midpoint
    return (
        str(row.level),
        row.status,
        _with_sd(row.rostral_mm, row.rostral_sd_mm),
        _with_sd(row.caudal_mm, row.caudal_sd_mm),
        _with_sd(row.midpoint_mm, None),
        _with_sd(row.length_mm, None),
        "" if place is None else f"{place.vertebra} {place.fraction:.0%}",
    )


def _with_sd(number: float | None, sd: float | None) -> str:
    if number is None:
        return "n/a"
    return _fixed(number, 1) if sd is None else f"{_fixed(number, 1)} ± {sd:.1f}"


def _fixed(number: float, decimals: int) -> str:
    """Return `number` with so many decimals, and no minus before a zero."""
    return f"{round(number, decimals) + 0.0:.{decimals}f}"
