"""Lengths and positions of levels against the population."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.levels.population.prior import End, Prior
from sct_rootlets.levels.population.reference_data import COHORT_ZONES_MM
from sct_rootlets.levels.table.level_table import LevelRow, LevelTable, VertebralRelation
from sct_rootlets.report.plausibility import OUTLIER_SD, compare

LEVELS = list(COHORT_ZONES_MM)


def table_of(ends: dict[SpinalLevel, tuple[float, float]], **more: object) -> LevelTable:
    """Return a table of entry zones (definition extent) counted from the PMJ."""
    rows = tuple(LevelRow(level, "measured", *ends[level]) for level in sorted(ends))
    return replace(LevelTable(rows, "extent", 1.5, pmj_mm=0.0), **more)  # type: ignore[arg-type]


def test_the_mean_of_the_population_is_no_outlier() -> None:
    made = compare(table_of(dict(COHORT_ZONES_MM)))
    assert made.landmark == "PMJ"
    assert set(made.lengths) == set(made.midpoints) == set(LEVELS)
    assert made.worst < 0.01


def test_lengths_have_the_spread_of_the_prior_by_simulation() -> None:
    """Ends drawn from the joint distribution have z values of mean 0 and SD 1."""
    prior = Prior.from_pmj(0.0)
    rng = np.random.default_rng(3)
    nodes = [(level, end) for level in LEVELS for end in End]
    mean = np.array([prior.mean(node) for node in nodes])
    spread = np.array([[prior.covariance(a, b) for b in nodes] for a in nodes])
    z: list[list[float]] = [[], []]
    for drawn in rng.multivariate_normal(mean, spread, 600):
        ends = {level: (drawn[2 * k], drawn[2 * k + 1]) for k, level in enumerate(LEVELS)}
        made = compare(table_of(ends))
        z[0].append(made.lengths[SpinalLevel.C6].z)
        z[1].append(made.midpoints[SpinalLevel.C6].z)
    for values in z:
        assert np.mean(values) == pytest.approx(0, abs=0.12)
        assert np.std(values) == pytest.approx(1, abs=0.09)


def test_one_long_level_is_the_outlier() -> None:
    ends = dict(COHORT_ZONES_MM)
    rostral, caudal = ends[SpinalLevel.C6]
    ends[SpinalLevel.C6] = (rostral, caudal + 10)
    made = compare(table_of(ends))
    far = [level for level, one in made.lengths.items() if one.is_outlier]
    assert far == [SpinalLevel.C6]
    assert made.worst == made.lengths[SpinalLevel.C6].z > OUTLIER_SD


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_numbering_that_is_off_by_one_lies_far_from_the_pmj(shift: int) -> None:
    ends = {
        moved: COHORT_ZONES_MM[level]
        for level in LEVELS
        if (moved := level.shifted(shift)) in COHORT_ZONES_MM
    }
    made = compare(table_of(ends))
    assert any(one.is_outlier for one in made.midpoints.values())
    # The same levels without a landmark have usual lengths: nothing can be said.
    alone = compare(table_of(ends, pmj_mm=None))
    assert alone.landmark is None
    assert not alone.midpoints
    assert alone.worst < OUTLIER_SD


def test_discs_place_the_levels_before_the_pmj_does() -> None:
    table = table_of(dict(COHORT_ZONES_MM))
    row = table.rows[2]
    assert row.midpoint_mm is not None
    near = VertebralRelation(from_disc_mm={3: row.midpoint_mm - 66.0, 4: row.midpoint_mm - 84.0})
    rows = tuple(replace(one, vertebral=near) if one is row else one for one in table.rows)
    made = compare(replace(table, rows=rows))
    assert made.landmark == "discs"


def test_what_was_not_measured_or_is_cut_is_not_judged() -> None:
    table = table_of(dict(COHORT_ZONES_MM))
    rows = list(table.rows)
    rows[1] = replace(rows[1], status="interpolated")
    rows[2] = replace(rows[2], flags=("cut_caudal",))
    rows[3] = LevelRow(rows[3].level, "unseen")
    made = compare(replace(table, rows=tuple(rows)))
    assert set(made.lengths) == {row.level for k, row in enumerate(rows) if k not in (1, 2, 3)}


def test_the_uncertainty_of_a_measurement_makes_it_less_of_an_outlier() -> None:
    ends = dict(COHORT_ZONES_MM)
    ends[SpinalLevel.T1] = (139.1, 158.0)
    sure = compare(table_of(ends)).lengths[SpinalLevel.T1]
    table = table_of(ends)
    rows = (*table.rows[:-1], replace(table.rows[-1], length_sd_mm=4.0))
    unsure = compare(replace(table, rows=rows)).lengths[SpinalLevel.T1]
    assert sure.is_outlier
    assert not unsure.is_outlier
    assert unsure.sd_mm == pytest.approx(np.hypot(sure.sd_mm, 4.0))


def test_an_unknown_definition_is_not_compared() -> None:
    made = compare(table_of(dict(COHORT_ZONES_MM), definition="unknown"))
    assert (made.lengths, made.midpoints, made.worst) == ({}, {}, 0.0)


def test_the_published_method_is_compared_with_entry_zones() -> None:
    published = compare(table_of(dict(COHORT_ZONES_MM), definition="valosek2024"))
    assert published.lengths == compare(table_of(dict(COHORT_ZONES_MM))).lengths
