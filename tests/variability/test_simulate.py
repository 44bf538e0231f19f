"""Studies of planted variability: the plan is kept, and the analysis finds it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.variability import planted
from sct_rootlets.errors import UsageError
from sct_rootlets.levels.population.reference_data import COHORT_ZONES_MM
from sct_rootlets.variability.analysis import analyse
from sct_rootlets.variability.distances import measure
from sct_rootlets.variability.resampling import Resampler
from sct_rootlets.variability.simulate import CORRELATION, Design, simulate, write_simulated
from sct_rootlets.variability.spread import spread
from sct_rootlets.variability.study import Study, read_study


def test_the_mean_subject_and_its_correlations() -> None:
    values = measure(simulate(Design(1500, 1, 1, 5.0, 0.0, 0.0), seed=1)).values
    middles = values[:, :, 2]
    expected = [sum(ends) / 2 for _, ends in sorted(COHORT_ZONES_MM.items())]
    assert middles.mean(axis=0) == pytest.approx(expected, rel=0.004)
    covs = 100 * middles.std(axis=0, ddof=1) / middles.mean(axis=0)
    assert covs == pytest.approx(np.full(8, 5.0), rel=0.05)
    correlations = np.corrcoef(middles.T)
    assert correlations[np.triu_indices(8, 1)] == pytest.approx(CORRELATION, abs=0.01)


def test_sites_differ_by_exactly_what_is_planted() -> None:
    design = Design(1, 5, 1, 0.0, 2.0, 0.0)
    middles = measure(simulate(design)).values[:, 3, 2]
    assert 100 * middles.std(ddof=1) / middles.mean() == pytest.approx(2.0, rel=1e-9)
    assert Design(1, 1).site_effects().tolist() == [0.0]


def test_who_is_scanned_where() -> None:
    study = simulate(Design(4, 3, 2), seed=2)
    assert study.factors == ("vendor", "site", "session")
    assert Counter(Counter(scan.subject for scan in study.scans).values()) == {2: 12}
    travelling = simulate(Design(4, 3, 2, travelling=True), seed=2)
    assert Counter(Counter(scan.subject for scan in travelling.scans).values()) == {6: 4}
    assert len({scan.path for scan in travelling.scans}) == 24


def test_the_same_seed_the_same_study() -> None:
    tables = [simulate(Design(2, 2, 2), seed=s).scans[3].table for s in (1, 1, 2)]
    assert tables[0] == tables[1]
    assert tables[0] != tables[2]


@pytest.mark.parametrize("travelling", [False, True])
def test_the_analysis_finds_what_was_planted(travelling: bool) -> None:
    """In many subjects within a few percent, for every scope."""
    design = Design(120, 3, 3, 5.0, 3.0, 1.3, travelling=travelling)
    study = simulate(design, seed=4)
    rows = spread(measure(Study(study.scans, ("site", "session"))), Resampler(0, 300))
    truth = planted(design)
    if travelling:
        del truth["within_subject_mean", "session", "all"]
    for (scope, factor, group), true in truth.items():
        of_levels = [
            row.cov_percent
            for row in rows
            if (row.scope, row.factor, row.group) == (scope, factor, group)
            and row.measure == "midpoint"
            and row.level != "mean"
            and row.cov_percent is not None
        ]
        assert len(of_levels) == 8
        assert np.mean(of_levels) == pytest.approx(true, rel=0.12), (scope, group)


def test_a_study_on_disk_is_the_same_study(tmp_path: Path) -> None:
    design = Design(3, 3, 2, 4.0, 1.0, 1.0)
    files = write_simulated(tmp_path, design, seed=6)
    paths = sorted(tmp_path.glob("sub-*/ses-*/anat/*.tsv"))
    read = read_study(paths, files["participants"], ["vendor", "site", "session"])
    drawn = simulate(design, 6)
    assert {scan.subject: scan.factors["site"] for scan in read.scans} == {
        scan.subject: scan.factors["site"] for scan in drawn.scans
    }
    first, second = (
        {(r.scope, r.factor, r.group, r.level, r.measure): r.cov_percent for r in found.spread}
        for found in (analyse(read, n_resamples=200), analyse(drawn, n_resamples=200))
    )
    assert first.keys() == second.keys()
    assert list(first.values()) == pytest.approx(list(second.values()), abs=1e-3)
    kept = json.loads(files["planted"].read_text())
    assert (kept["cov_subjects"], kept["seed"]) == (4.0, 6)


def test_travelling_subjects_on_disk(tmp_path: Path) -> None:
    files = write_simulated(tmp_path, Design(2, 2, 2, travelling=True))
    paths = sorted(tmp_path.glob("sub-*/ses-*/anat/*.tsv"))
    study = read_study(paths, files["participants"], ["site", "session"])
    assert len(study.scans) == 8
    assert {scan.factors["site"] for scan in study.scans} == {"site1", "site2"}


@pytest.mark.parametrize(
    "values", [{"n_subjects": 0}, {"cov_sites": -1.0}, {"cov_subjects": 40.0}, {"n_sessions": 0}]
)
def test_plans_that_make_no_study(values: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="a study needs"):
        Design(**values)  # type: ignore[arg-type]
