"""The levels of every result as a strip in mm from one landmark, so that rows can be compared.

Strips are inline SVG. All of a report have one scale and one origin: the landmark that most of
the results know. A result that does not know it has no strip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import colour_of
from sct_rootlets.report.subject import LevelLine, Subject

__all__ = ["Scale", "axis_svg", "strip_svg", "summary_svg"]

#: Width and height of a strip and of the axis, pixels; room below a strip for its marks.
WIDTH, HEIGHT, _AXIS = 280, 26, 20
_TOP, _BOTTOM = 3.0, 20.0
#: A level narrower than this, pixels, has no name in it.
_NAMED = 17.0
#: Colours on which a name is white; on all others it is dark.
_DARK = {"#0072B2", "#D55E00"}


@dataclass(frozen=True)
class Scale:
    """Millimetres from a landmark to pixels.

    Attributes
    ----------
    landmark : str
        ``"PMJ"``, ``"C2/C3"``, or what the tables count from.
    low_mm, high_mm : float
    """

    landmark: str
    low_mm: float
    high_mm: float

    @classmethod
    def of(cls, subjects: Sequence[Subject]) -> Scale | None:
        """Return the scale that suits most results; None where no level is known."""
        counts: Counter[str] = Counter()
        for subject in subjects:
            if _known(subject.lines):
                counts.update([*subject.landmarks_mm, subject.origin])
        if not counts:
            return None
        # Of landmarks that equally many know, anatomy rather than the end of a mask.
        order = ["PMJ", "C2/C3"]
        landmark = max(counts, key=lambda name: (counts[name], name in order, name == "PMJ"))
        if landmark not in order:
            anatomical = max(order, key=lambda name: counts[name])
            landmark = anatomical if counts[anatomical] >= counts[landmark] / 2 else landmark
        ends = [
            mm - zero
            for subject in subjects
            if (zero := _zero(subject, landmark)) is not None
            for line in _known(subject.lines)
            for mm in (line.row.rostral_mm, line.row.caudal_mm)
            if mm is not None
        ]
        # A single result that went wrong does not squeeze all others.
        low, high = np.percentile(ends, (0.5, 99.5))
        return cls(landmark, float(low) - 6, float(high) + 6)

    def x(self, mm: float) -> float:
        """Return the place of a position, pixels, kept within the strip."""
        share = (mm - self.low_mm) / (self.high_mm - self.low_mm)
        return round(float(min(max(share, 0.0), 1.0)) * WIDTH, 1)


def strip_svg(subject: Subject, scale: Scale | None) -> str:
    """Return the strip of one result.

    Levels that were measured are solid, others pale with a dashed edge; outliers have a thick
    dark edge and a mark below.
    """
    zero = None if scale is None else _zero(subject, scale.landmark)
    lines = _known(subject.lines)
    if scale is None or zero is None or not lines:
        return ""
    parts, words = [], []
    for line in lines:
        row = line.row
        assert row.rostral_mm is not None
        assert row.caudal_mm is not None
        left, right = scale.x(row.rostral_mm - zero), scale.x(row.caudal_mm - zero)
        parts.append(_box(line, left, right))
        words.append(f"{row.level} {row.rostral_mm - zero:.0f} to {row.caudal_mm - zero:.0f}")
    label = escape(f"mm from {scale.landmark}: {', '.join(words)}", quote=True)
    return _svg(HEIGHT, "".join(parts), label)


def axis_svg(scale: Scale) -> str:
    """Return the axis of all strips, a tick every 20 mm."""
    first = int(np.ceil(scale.low_mm / 20)) * 20
    parts = []
    for mm in range(first, int(scale.high_mm) + 1, 20):
        x = scale.x(mm)
        parts.append(f'<path d="M{x} 14v5" stroke="#66707f"/>')
        anchor = "start" if x < 12 else "end" if x > WIDTH - 12 else "middle"
        parts.append(f'<text x="{x}" y="11" text-anchor="{anchor}" class="tick">{mm}</text>')
    label = f"mm from {scale.landmark}, caudal to the right"
    return _svg(_AXIS, "".join(parts), escape(label, quote=True))


def summary_svg(subjects: Sequence[Subject], scale: Scale) -> str:
    """Return the strip of the medians of the borders, of the levels that most results measured."""
    ends: dict[SpinalLevel, list[tuple[float, float]]] = {}
    for subject in subjects:
        zero = _zero(subject, scale.landmark)
        for line in _known(subject.lines):
            row = line.row
            if zero is not None and row.status == "measured":
                assert row.rostral_mm is not None
                assert row.caudal_mm is not None
                here = (row.rostral_mm - zero, row.caudal_mm - zero)
                ends.setdefault(row.level, []).append(here)
    parts = []
    most = max(map(len, ends.values()), default=0)
    for level in sorted(level for level, here in ends.items() if len(here) > most / 2):
        left, right = (scale.x(float(mm)) for mm in np.median(ends[level], axis=0))
        parts.append(_rectangle(left, right, colour_of(level.value)))
        parts.append(_text(str(level), left, right, colour_of(level.value)))
    label = escape(f"Medians of all results, mm from {scale.landmark}", quote=True)
    return _svg(HEIGHT, "".join(parts), label)


def _known(lines: Sequence[LevelLine]) -> list[LevelLine]:
    return [
        line for line in lines if line.row.rostral_mm is not None and line.row.caudal_mm is not None
    ]


def _zero(subject: Subject, landmark: str) -> float | None:
    """Return where the landmark lies on the axis of a table."""
    marks: Mapping[str, float] = subject.landmarks_mm
    return marks.get(landmark, 0.0 if subject.origin == landmark else None)


def _box(line: LevelLine, left: float, right: float) -> str:
    colour = colour_of(line.row.level.value)
    far = [one for one in (line.length, line.midpoint) if one is not None and one.is_outlier]
    if line.row.status != "measured":
        made = _rectangle(left, right, colour, ' fill-opacity=".3" stroke-dasharray="2 2"')
    elif far:
        middle = (left + right) / 2
        made = _rectangle(left, right, colour, ' class="far"')
        made += f'<path d="M{middle - 3:.1f} 26h6l-3-5z" fill="#1b2330"/>'
    else:
        made = _rectangle(left, right, colour)
    return made + _text(str(line.row.level), left, right, colour)


def _rectangle(left: float, right: float, colour: str, more: str = "") -> str:
    width = max(right - left, 0.8)
    return (
        f'<rect x="{left}" y="{_TOP}" width="{width:.1f}" height="{_BOTTOM - _TOP}" '
        f'fill="{colour}" stroke="#1b2330" stroke-width=".6"{more}/>'
    )


def _text(name: str, left: float, right: float, colour: str) -> str:
    if right - left < _NAMED:
        return ""
    kind = ' class="light"' if colour in _DARK else ""
    return f'<text x="{(left + right) / 2:.1f}" y="15.5" text-anchor="middle"{kind}>{name}</text>'


def _svg(height: int, content: str, label: str) -> str:
    return (
        f'<svg class="strip" role="img" aria-label="{label}" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}">{content}</svg>'
    )
