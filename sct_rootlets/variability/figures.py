"""What the figures of a study show, handed to the room that draws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.qc import bland_altman, study_cov, study_levels, study_vertebrae
from sct_rootlets.qc.study_page import files
from sct_rootlets.variability.agreement import pairs_of
from sct_rootlets.variability.analysis import Variability
from sct_rootlets.variability.distances import MEASURES, Distances
from sct_rootlets.variability.groups import grid_of, natural
from sct_rootlets.variability.spread import MEAN_LEVEL, SpreadRow

if TYPE_CHECKING:
    from sct_rootlets.variability.study import Scan

__all__ = ["draw"]

Floats = NDArray[np.float64]

_ROSTRAL, _CAUDAL, _MIDPOINT = (MEASURES.index(m) for m in ("rostral", "caudal", "midpoint"))
_FROM = {"pmj": "PMJ", "c2c3": "disc C2/C3"}
#: Most panels of one figure, and most groups of a factor that are drawn beside each other.
_MOST_PAIRS, _MOST_GROUPS = 6, 8


def draw(found: Variability) -> dict[str, bytes]:
    """Return the figures of a study, as bytes by the end of their name (``levels.png``).

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    figures = {"levels": _levels(found), "cov": _covs(found), "vertebrae": _vertebrae(found)}
    for factor in found.distances.study.factors:
        figures[f"bland_altman_{factor}"] = _pairs(found, factor)
    return {
        f"{name}.{kind}": content
        for name, figure in figures.items()
        if figure is not None
        for kind, content in files(figure).items()
    }


def _subtitle(found: Variability) -> str:
    study = found.distances.study
    n_subjects = len({scan.subject for scan in study.scans})
    return "  ·  ".join(
        (
            f"{n_subjects} subject{'s' * (n_subjects != 1)}, {len(study.scans)} images",
            f"definition: {study.definition}",
            f"levels: {', '.join(found.distances.statuses)}",
        )
    )


def _axis(distances: Distances) -> str:
    return f"distance from the {_FROM[distances.origin]}, mm"


def _levels(found: Variability) -> Any:
    distances = found.distances
    if not np.isfinite(distances.values[:, :, _MIDPOINT]).any():
        return None
    factor = next(iter(distances.study.factors), None)
    scans = distances.study.scans
    names = [_group(scan, factor) for scan in scans]
    groups = []
    for name in sorted(set(names), key=natural):
        here = [i for i, other in enumerate(names) if other == name]
        here.sort(key=lambda i: natural(_name(scans[i], factor)))
        values = distances.values[here]
        groups.append(
            study_levels.Columns(
                name if factor else "all images",
                _mean_cov(found, factor or "all", name) if len(set(names)) <= _MOST_GROUPS else "",
                tuple(_name(scans[i], factor) for i in here),
                values[:, :, _ROSTRAL],
                values[:, :, _CAUDAL],
            )
        )
    return study_levels.draw(
        title="Spinal levels" + (f" by {factor}" if factor else ""),
        subtitle=_subtitle(found),
        axis=_axis(distances),
        levels=distances.levels,
        groups=groups,
        summary=_summary(found),
    )


def _group(scan: Scan, factor: str | None) -> str:
    return "all" if factor is None else scan.factors.get(factor, "not known")


def _name(scan: Scan, factor: str | None) -> str:
    """Return the name of a column: the subject, and what tells its images apart."""
    others = [value for name, value in scan.factors.items() if name != factor]
    of_session = scan.entities.get("ses")
    if of_session is not None and of_session not in others and factor != "session":
        others.append(of_session)
    return " ".join([scan.subject, *dict.fromkeys(others)])


def _mean_cov(found: Variability, factor: str, group: str) -> str:
    rows = found.find(
        scope="between_subjects", factor=factor, group=group, level=MEAN_LEVEL, measure="midpoint"
    )
    if not rows or rows[0].cov_percent is None:
        return ""
    return f"mean CoV {rows[0].cov_percent:.2f} ± {rows[0].cov_sd_percent:.2f} %"


def _summary(found: Variability) -> list[study_levels.LevelSummary]:
    answer = []
    for level in found.distances.levels:
        rows = {
            row.measure: row
            for row in found.find(
                scope="between_subjects", factor="all", group="all", level=str(level)
            )
        }
        means = [rows[m].mean_mm if m in rows else None for m in ("rostral", "caudal", "midpoint")]
        rostral, caudal, midpoint = means
        if rostral is None or caudal is None or midpoint is None:
            continue
        middle = rows["midpoint"]
        answer.append(
            study_levels.LevelSummary(
                level, rostral, caudal, midpoint, middle.sd_mm or 0.0, _in_words(middle)
            )
        )
    return answer


def _in_words(row: SpreadRow) -> str:
    if row.sd_mm is None:
        return f"{row.mean_mm:.1f} mm"
    words = f"{row.mean_mm:.1f} ± {row.sd_mm:.1f} mm"
    return words if row.cov_percent is None else f"{words}, {row.cov_percent:.2f} %"


def _covs(found: Variability) -> Any:
    distances = found.distances
    panels = []
    for title, rows in _panels(found):
        points = tuple(
            study_cov.Point(name, level, row.cov_percent, row.cov_low, row.cov_high)
            for name, row in rows
            for level in distances.levels
            if str(level) == row.level and row.cov_percent is not None
        )
        if points and len({point.group for point in points}) <= _MOST_GROUPS:
            panels.append(study_cov.Panel(title, points))
    if not panels:
        return None
    return study_cov.draw(
        title=f"Coefficients of variation, {_axis(distances).removesuffix(', mm')}",
        subtitle=f"{_subtitle(found)}  ·  bars: {100 * found.confidence:g} % intervals",
        levels=distances.levels,
        panels=panels,
    )


def _panels(found: Variability) -> Iterator[tuple[str, list[tuple[str, SpreadRow]]]]:
    """Yield the panels of the figure of coefficients: title, and rows by the name of a marker."""

    def rows(scope: str, factor: str, name: str = "") -> list[tuple[str, SpreadRow]]:
        of_scope = found.find(scope=scope, factor=factor, measure="midpoint")
        return [(name or row.group, row) for row in of_scope]

    yield "Between subjects, all images", rows("between_subjects", "all")
    for factor in found.distances.study.factors:
        within = rows("within_subject_rms", factor)
        if not within:
            yield f"Between subjects, within each {factor}", rows("between_subjects", factor)
        of_means = rows("between_groups", factor, "of the means, as published")
        net = rows("between_groups_net", factor, "net of subjects")
        yield f"Between the groups of {factor}", of_means + net
        yield f"Within subjects, over {factor} (root mean square)", within


def _pairs(found: Variability, factor: str) -> Any:
    distances = found.distances
    grid = grid_of(distances, factor)
    if not grid.is_crossed:
        return None
    pairs = []
    middles = grid.values[:, :, :, _MIDPOINT]
    for a, b in pairs_of(grid):
        names = (grid.groups[a], grid.groups[b])
        row = next(
            (
                row
                for row in found.pairs
                if (row.factor, row.first, row.second, row.measure) == (factor, *names, "midpoint")
                and row.level == "all"
            ),
            None,
        )
        if row is None or row.bias_mm is None or row.lower_mm is None or row.upper_mm is None:
            continue
        pairs.append(
            bland_altman.GroupPair(
                factor,
                *names,
                (middles[:, a] + middles[:, b]) / 2,
                middles[:, b] - middles[:, a],
                row.bias_mm,
                row.lower_mm,
                row.upper_mm,
            )
        )
    if not pairs:
        return None
    left = f"; the first {_MOST_PAIRS} of {len(pairs)} pairs" if len(pairs) > _MOST_PAIRS else ""
    return bland_altman.draw(
        title=f"Agreement of midpoints over {factor} (Bland-Altman)",
        subtitle=f"{_subtitle(found)}  ·  lines: bias and 95 % limits of agreement{left}",
        axis=f"mean {_axis(distances)}",
        levels=distances.levels,
        pairs=pairs[:_MOST_PAIRS],
    )


def _vertebrae(found: Variability) -> Any:
    shares = {
        (SpinalLevel[row.level], VertebralLevel[row.vertebra]): row.share_percent
        for row in found.vertebra_shares
        if row.place == "midpoint"
    }
    if not shares:
        return None
    present = [vertebra for _, vertebra in shares]
    between = [v for v in VertebralLevel if min(present) <= v <= max(present)]
    levels = [level for level in found.distances.levels if any(key[0] is level for key in shares)]
    return study_vertebrae.draw(
        title="Where the middle of each spinal level lies",
        subtitle=f"share of {_subtitle(found).split('  ·  ')[0].split(',')[0]}  ·  "
        f"definition: {found.distances.study.definition}",
        shares=shares,
        vertebrae=between,
        levels=levels,
    )
