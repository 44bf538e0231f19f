"""A study of planted variability: tables of levels as if measured, with known coefficients.

For planning (how many subjects give an interval of which width?) and for proof (does the analysis
find what was planted?). No image is made: positions are drawn, and the tables hold them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sct_rootlets.errors import UsageError
from sct_rootlets.files.guards import require_free
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar
from sct_rootlets.levels.population.reference_data import COHORT_ZONES_MM
from sct_rootlets.levels.spine.column import VertebralColumn
from sct_rootlets.levels.table import text
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.tables import Column, to_text
from sct_rootlets.variability.study import Scan, Study

__all__ = ["Design", "simulate", "write_simulated"]

Floats = NDArray[np.float64]

#: Discs against the PMJ of a mean neck, mm, by label: those of the phantoms, which are PAM50's
#: against its rootlets, shrunk to the mean subject (docs/phantom.md).
DISCS_MM = {2: 50.3, 3: 60.9, 4: 78.6, 5: 96.5, 6: 112.2, 7: 127.5, 8: 143.0, 9: 161.3}
#: Of what two levels of a subject differ by from the mean: neighbours of 14 subjects correlate at
#: 0.94 to 0.99 (docs/phantom.md).
CORRELATION = 0.97
_VENDORS = ("GE", "Philips", "Siemens")


@dataclass(frozen=True)
class Design:
    """What is planted.

    Attributes
    ----------
    n_subjects : int
        Of every site, or with `travelling` of all.
    n_sites, n_sessions : int
    cov_subjects, cov_sites, cov_sessions : float
        Standard deviation, in percent of the mean, of what subjects, sites and repeated scans
        of a subject differ by. Sites have exactly this one (n - 1), subjects and sessions are
        drawn from it.
    travelling : bool
        Whether the same subjects go to all sites.
    """

    n_subjects: int = 12
    n_sites: int = 3
    n_sessions: int = 2
    cov_subjects: float = 5.0
    cov_sites: float = 1.4
    cov_sessions: float = 1.3
    travelling: bool = False

    def __post_init__(self) -> None:
        counts = (self.n_subjects, self.n_sites, self.n_sessions)
        covs = (self.cov_subjects, self.cov_sites, self.cov_sessions)
        if min(counts) < 1 or not all(0 <= cov < 30 for cov in covs):
            raise UsageError(
                "a study needs a subject, a site and a session or more, and coefficients of "
                "variation from 0 to 30 %"
            )

    def site_effects(self) -> Floats:
        """Return what the sites differ by, (n_sites,), as shares: quantiles of the normal."""
        if self.n_sites < 2:
            return np.zeros(1)
        quantiles = stats.norm.ppf((np.arange(self.n_sites) + 0.5) / self.n_sites)
        return np.asarray(self.cov_sites / 100 * quantiles / quantiles.std(ddof=1))


def simulate(design: Design, seed: int = 0) -> Study:
    """Draw a study.

    The positions of a level in the scan k of the subject i at the site j are the mean
    subject's times 1 + a_i + b_j + e_ijk, so that borders, midpoints and lengths have the same
    coefficients: ``cov_subjects`` for a, ``cov_sites`` for b, ``cov_sessions`` for e. Those of
    two levels correlate at `CORRELATION`, as measured between subjects.

    Returns
    -------
    Study
        With the factors ``vendor`` and ``site`` if there are several sites, and ``session`` if
        there are several sessions. Vendors have every third site.
    """
    rng = np.random.default_rng([seed, 7])
    shape = (1 if design.travelling else design.n_sites, design.n_subjects)
    of_subjects = design.cov_subjects / 100 * _correlated(rng, shape)
    scans = []
    for j, of_site in enumerate(design.site_effects()):
        for i in range(design.n_subjects):
            row = 0 if design.travelling else j
            name = f"{row * design.n_subjects + i + 1:03d}"
            for k in range(design.n_sessions):
                error = design.cov_sessions / 100 * _correlated(rng, ())
                scales = np.maximum(0.2, 1 + of_subjects[row, i] + of_site + error)
                scans.append(_scan(design, name, j, k, scales))
    factors = ["vendor", "site"] * (design.n_sites > 1) + ["session"] * (design.n_sessions > 1)
    if design.n_sites < len(_VENDORS) and "vendor" in factors:
        factors.remove("vendor")
    return Study(tuple(scans), tuple(factors))


def write_simulated(
    folder: str | os.PathLike[str], design: Design, seed: int = 0, *, overwrite: bool = False
) -> dict[str, Path]:
    """Write a drawn study as a folder in the layout of BIDS, with participants.tsv.

    `overwrite` also replaces files that are not as an earlier study wrote them.

    Returns
    -------
    dict of str to Path
        ``participants``, ``planted`` (a JSON of the design), and ``folder``. The tables are
        ``sub-*/ses-*/anat/*_spinal_levels.tsv`` below it, each with its JSON.
    """
    root, study = Path(folder), simulate(design, seed)
    rows = {(scan.subject, scan.factors["site"], scan.factors["vendor"]) for scan in study.scans}
    files = {"participants": root / "participants.tsv", "planted": root / "planted.json"}
    tables = [root / scan.path for scan in study.scans]
    beside = [path.with_suffix(".json") for path in tables]
    require_free([*tables, *beside, *files.values()], overwrite=overwrite)
    with ResultSet(overwrite=overwrite) as outputs:
        for scan, path, about in zip(study.scans, tables, beside, strict=True):
            outputs.write(path, text.to_tsv(scan.table))
            outputs.record(
                about, _about("Simulated spinal levels", text.to_json(scan.table)), [path]
            )
        # Of those who travel, the names say where: participants.tsv has a row a subject.
        names = ["participant_id", *([] if design.travelling else ["site", "vendor"])]
        people = {
            (f"sub-{s}", *((site, vendor) if len(names) > 1 else ())) for s, site, vendor in rows
        }
        lines = (dict(zip(names, cells, strict=True)) for cells in sorted(people))
        outputs.write(files["participants"], to_text([Column(name) for name in names], lines))
        planted = _about("The variability of a simulated study", {**asdict(design), "seed": seed})
        outputs.record(files["planted"], planted, [files["participants"]])
    return {**files, "folder": root}


def _about(description: str, content: dict[str, Any]) -> dict[str, Any]:
    return sidecar(
        beside="", sources=(), spatial_reference=None, description=description, extra=content
    )


def _correlated(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return standard normal numbers (*shape, L) that correlate over the levels."""
    together = rng.normal(size=(*shape, 1))
    apart = rng.normal(size=(*shape, len(COHORT_ZONES_MM)))
    return np.asarray(np.sqrt(CORRELATION) * together + np.sqrt(1 - CORRELATION) * apart)


def _scan(design: Design, subject: str, site: int, session: int, scales: Floats) -> Scan:
    name = f"site{site + 1}"
    entities = {"sub": subject, "ses": str(session + 1)}
    if design.travelling:
        entities["site"] = name
    stem = "_".join(f"{key}-{value}" for key, value in entities.items())
    fname = f"{stem}_T2w_label-rootlets_dseg.nii.gz"
    path = Path(f"sub-{subject}") / f"ses-{session + 1}" / "anat" / f"{stem}_T2w_spinal_levels.tsv"
    vendor = _VENDORS[site % len(_VENDORS)]
    factors = {"site": name, "vendor": vendor, "session": entities["ses"]}
    return Scan(path.as_posix(), subject, _table(scales, fname), factors, entities)


def _table(scales: Floats, fname: str) -> LevelTable:
    """Return the levels of the mean subject, by the definition `extent`, stretched (L,)."""
    column = VertebralColumn({label: s * float(scales.mean()) for label, s in DISCS_MM.items()})
    return LevelTable(
        tuple(_rows(scales, column)),
        definition="extent",
        reach_mm=1.5,
        origin="pontomedullary junction",
        pmj_mm=0.0,
        c3_c7_height_mm=column.c3_c7_height_mm,
        details={"simulated": True},
        fname=fname,
    )


def _rows(scales: Floats, column: VertebralColumn) -> Iterator[LevelRow]:
    for scale, (level, zone) in zip(scales.tolist(), sorted(COHORT_ZONES_MM.items()), strict=True):
        ends = (scale * zone[0], scale * zone[1])
        relation = column.relation(ends[0], sum(ends) / 2, ends[1])
        yield LevelRow(level, "measured", *ends, vertebral=relation)
