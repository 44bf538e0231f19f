"""Does ``sct_rootlets variability`` find what was planted? The figures of docs/variability.md.

``python -m benchmarks.variability PART ...`` with the parts

``coverage``
    simulated studies of known coefficients of variation: bias, and how often the intervals
    hold the truth;
``intervals``
    the studentised bootstrap against percentile and BCa;
``cohort``
    14 subjects of real distances (``shared/data/cadotte``) against their published table;
``rescans``
    phantoms scanned again on other grids, their masks to levels to tables to coefficients;
``population``
    time and peak memory of the command on tables that
    ``python -m benchmarks.variability_phantoms`` wrote to ``-tables``.

Each prints its table as markdown.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.special import gammaln

from benchmarks.population import read_subjects
from benchmarks.report import markdown
from benchmarks.variability_phantoms import rescanned
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable
from sct_rootlets.variability import Design, Scan, Study, analyse, simulate
from sct_rootlets.variability.distances import measure
from sct_rootlets.variability.resampling import Resampler
from sct_rootlets.variability.spread import spread

ROOT = Path(__file__).resolve().parents[1]
DESIGNS = (
    Design(8, 3, 2, 5.0, 2.0, 1.3),
    Design(12, 3, 3, 5.0, 1.4, 1.3),
    Design(30, 3, 2, 5.0, 3.0, 1.0),
    Design(10, 4, 2, 4.0, 1.4, 1.3, travelling=True),
)


def mean_of_sd(k: int) -> float:
    """Return the mean of the SD of `k` normal numbers of SD 1 (known as c4)."""
    return float(np.sqrt(2 / (k - 1)) * np.exp(gammaln(k / 2) - gammaln((k - 1) / 2)))


def planted(design: Design) -> dict[tuple[str, str, str], float]:
    """Return the true coefficients, percent, by (scope, factor, group)."""
    a, e = design.cov_subjects / 100, design.cov_sessions / 100
    sites = design.site_effects()
    truth = {
        ("between_subjects", "site", f"site{j + 1}"): 100
        * float(np.hypot(a, e / np.sqrt(design.n_sessions)) / (1 + b))
        for j, b in enumerate(sites)
    }
    truth["between_groups_net", "site", "all"] = design.cov_sites
    # A subject's own mean is under its coefficient: the mean of 1 / (1 + a)^2 is 1 + 3 a^2.
    within = 100 * e * float(np.sqrt(np.mean((1 + 3 * a**2) / (1 + sites) ** 2)))
    truth["within_subject_rms", "session", "all"] = within
    truth["within_subject_mean", "session", "all"] = (
        100 * e * mean_of_sd(design.n_sessions) * float(np.mean((1 + a**2) / (1 + sites)))
    )
    return truth


def coverage(n_studies: int) -> str:
    """Bias and coverage over simulated studies, by design and scope, of the midpoint of C5."""
    rows = []
    for design in DESIGNS:
        truth = planted(design)
        if design.travelling:  # a subject's rows, one a site, are pooled before the mean is taken
            del truth["within_subject_mean", "session", "all"]
        found: dict[str, list[tuple[float, float, float, float]]] = {}
        lacking: dict[str, int] = {}
        for seed in range(n_studies):
            study = _of_one_level(simulate(design, seed))
            for row in spread(measure(study), Resampler(seed, 1000)):
                true = truth.get((row.scope, row.factor, row.group))
                if true is None or row.measure != "midpoint" or row.level == "mean":
                    continue
                if row.cov_low is None or row.cov_high is None or row.cov_percent is None:
                    lacking[row.scope] = lacking.get(row.scope, 0) + 1
                    continue
                numbers = (row.cov_percent, row.cov_low, row.cov_high, true)
                found.setdefault(row.scope, []).append(numbers)
        name = f"{design.n_subjects} x {design.n_sites} x {design.n_sessions}"
        name += ", travelling" * design.travelling
        for scope, numbers_of in found.items():
            cov, low, high, true_of = np.array(numbers_of).T
            held = float(np.mean((low <= true_of) & (true_of <= high)))
            rows.append(
                [
                    name,
                    scope,
                    f"{true_of.mean():.2f}",
                    f"{np.sqrt(np.mean(cov**2)):.2f}",
                    f"{np.median(cov):.2f}",
                    f"{100 * held:.1f} %",
                    str(lacking.get(scope, 0)),
                ]
            )
    head = ["design", "scope", "planted, %", "found, RMS %", "median %", "coverage", "no interval"]
    return markdown(head, rows)


def _of_one_level(study: Study) -> Study:
    """Return the study with C5 alone, by site and session."""
    scans = []
    for scan in study.scans:
        rows = tuple(row for row in scan.table.rows if row.level is SpinalLevel.C5)
        scans.append(replace(scan, table=replace(scan.table, rows=rows)))
    return Study(tuple(scans), ("site", "session"))


def intervals(n_studies: int) -> str:
    """Coverage and width of three bootstrap intervals of a coefficient of 5 %, normal subjects."""
    rows = []
    rng = np.random.default_rng(5)
    for n in (6, 10, 14, 20, 50):
        held = {"studentised": 0, "percentile": 0, "BCa": 0}
        wide: dict[str, list[float]] = {name: [] for name in held}
        for seed in range(n_studies):
            values = rng.normal(100, 5, n)
            resampler = Resampler(seed, 1000)
            drawn = resampler.weights(n)
            means = drawn @ values / n
            sds = np.sqrt(np.maximum(drawn @ values**2 / n - means**2, 0) * n / (n - 1))
            bca = stats.bootstrap(
                (values,), _cov, n_resamples=1000, vectorized=True, method="BCa", random_state=seed
            ).confidence_interval
            for name, interval in (
                ("studentised", resampler.cov(values)),
                ("percentile", tuple(np.quantile(100 * sds / means, (0.025, 0.975)))),
                ("BCa", (float(bca.low), float(bca.high))),
            ):
                assert interval is not None
                held[name] += interval[0] <= 5 <= interval[1]
                wide[name].append(interval[1] - interval[0])
        rows.append(
            [str(n)]
            + [f"{100 * held[k] / n_studies:.1f} % ({np.median(wide[k]):.1f})" for k in held]
        )
    return markdown(["subjects", *held], rows)


def _cov(values: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.asarray(100 * values.std(axis=axis, ddof=1) / values.mean(axis=axis))


def cohort_study(data: Path) -> Study:
    """Return the 14 subjects as a study."""
    scans = []
    for name, zones in read_subjects(data).items():
        rows = tuple(LevelRow(level, "measured", *ends) for level, ends in zones.items())
        scans.append(Scan(name, name, LevelTable(rows, "extent", None, pmj_mm=0.0)))
    return Study(tuple(scans))


def cohort(data: Path) -> str:
    """The 14 subjects: mean, SD and coefficient of variation of every measure."""
    found = analyse(cohort_study(data))
    rows = []
    for level in found.distances.levels:
        cells = [str(level)]
        for what in ("rostral", "caudal", "midpoint", "length"):
            (row,) = found.find(level=str(level), measure=what)
            cells.append(f"{row.mean_mm:.1f} ± {row.sd_mm:.1f}")
        (row,) = found.find(level=str(level), measure="midpoint")
        cells.append(f"{row.cov_percent:.2f} ({row.cov_low:.2f} to {row.cov_high:.2f})")
        rows.append(cells)
    head = ["", "rostral, mm", "caudal, mm", "midpoint, mm", "length, mm", "CoV of midpoint, %"]
    return markdown(head, rows)


def rescans(n_subjects: int, n_sessions: int) -> str:
    """Coefficients of variation of phantoms scanned again, from masks and from the truth."""
    rows = []
    for cov in (0.0, 1.3):
        scans: dict[str, list[Scan]] = {"found": [], "truth": []}
        for rescan in rescanned(n_subjects, n_sessions, cov):
            for name, kept in scans.items():
                session = str(rescan.session)
                subject = str(rescan.subject)
                table = getattr(rescan, name)
                kept.append(Scan(f"{subject}-{session}", subject, table, {"session": session}))
        for name, kept in scans.items():
            found = analyse(Study(tuple(kept), ("session",)))
            for scope in ("within_subject_rms", "between_subjects"):
                factor = "session" if scope.startswith("within") else "all"
                covs = [
                    row.cov_percent
                    for row in found.find(scope=scope, factor=factor, measure="midpoint")
                    if row.level != "mean" and row.cov_percent is not None
                ]
                what = "stretch between sessions" if scope.startswith("within") else "subjects"
                rows.append(
                    [
                        f"{cov:.1f} %",
                        "masks" if name == "found" else "truth",
                        what,
                        f"{np.mean(covs):.2f}",
                        f"{min(covs):.2f} to {max(covs):.2f}",
                    ]
                )
    head = ["planted between sessions", "tables of", "CoV over", "mean over levels, %", "range"]
    return markdown(head, rows)


def population(tables: Path) -> str:
    """Time and peak memory of the command on the tables in a folder."""
    paths = sorted(str(path) for path in tables.glob("sub-*/ses-*/*_spinal_levels.tsv"))
    command = [sys.executable, "-m", "sct_rootlets", "variability", "-v", "0"]
    command += ["-participants", str(tables / "participants.tsv")]
    command += ["-by", "vendor,site,session", "-ofolder", str(tables / "variability"), "-i"]
    begun = time.perf_counter()
    subprocess.run([*command, *paths], check=True)
    seconds = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    head = ["tables", "seconds", "of one core", "peak memory, MB"]
    cells = [str(len(paths)), f"{seconds:.0f}", f"{cpu:.0f} s", f"{peak:.0f}"]
    return markdown(head, [cells])


def main(argv: Iterable[str] | None = None) -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = ("coverage", "intervals", "cohort", "rescans", "population")
    parser.add_argument("parts", nargs="+", choices=names)
    parser.add_argument("-n", type=int, default=500, help="Simulated studies.")
    parser.add_argument("-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("-tables", type=Path, help="Folder of variability_phantoms.")
    parser.add_argument("-subjects", type=int, default=6)
    parser.add_argument("-sessions", type=int, default=5)
    args = parser.parse_args(None if argv is None else list(argv))
    parts = {
        "coverage": lambda: coverage(args.n),
        "intervals": lambda: intervals(args.n),
        "cohort": lambda: cohort(args.data),
        "rescans": lambda: rescans(args.subjects, args.sessions),
        "population": lambda: population(args.tables),
    }
    for name in args.parts:
        begun = time.perf_counter()
        table = parts[name]()
        print(f"{name}\n\n{table}\n({time.perf_counter() - begun:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main()
