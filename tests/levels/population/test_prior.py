"""What the population says: one joint normal distribution, conditioned and compared."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.levels.population import reference_data
from sct_rootlets.levels.population.prior import End, Prior

C4, C5, C6 = SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6


def _cohort(shared_data: Path) -> dict[str, dict[tuple[SpinalLevel, End], float]]:
    """Return the ends of every subject, mm from the PMJ, caudal-positive."""
    subjects: dict[str, dict[tuple[SpinalLevel, End], float]] = {}
    with (shared_data / "cadotte" / "cadotte_rootlet_dist.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            ends = subjects.setdefault(row["sub_name"], {})
            level = SpinalLevel(int(row["level"]))
            ends[level, End.ROSTRAL] = -float(row["PMJ_start"])
            ends[level, End.CAUDAL] = -float(row["PMJ_end"])
    return subjects


def test_the_means_are_those_of_the_14_subjects(shared_data: Path) -> None:
    subjects = _cohort(shared_data)
    assert len(subjects) == 14
    prior = Prior.from_pmj(0.0)
    for level in ROOTLET_LEVELS[1:]:
        for end in End:
            values = [ends[level, end] for ends in subjects.values()]
            assert prior.mean((level, end)) == pytest.approx(np.mean(values), abs=0.06)
            assert prior.sd((level, end)) == pytest.approx(np.std(values, ddof=1), rel=0.25)


def test_a_level_left_out_is_predicted_from_its_neighbours(shared_data: Path) -> None:
    errors, spreads = [], []
    for ends in _cohort(shared_data).values():
        for level in (C4, C5, C6, SpinalLevel.C7, SpinalLevel.C8):
            evidence = {node: (mm, 0.3) for node, mm in ends.items() if node[0] is not level}
            given = Prior.floating().given(evidence)
            nodes = [(level, end) for end in End]
            errors.append(np.mean([given.mean(n) - ends[n] for n in nodes]))
            spreads.append(0.5 * np.sqrt(sum(given.covariance(a, b) for a in nodes for b in nodes)))
    assert np.abs(np.mean(errors)) < 0.2
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(0.8, abs=0.15)
    assert np.mean(spreads) == pytest.approx(1.0, abs=0.15)  # a little wider than what was found


def test_evidence_narrows_and_moves_what_is_near_most() -> None:
    prior = Prior.from_pmj(0.0)
    node = (C5, End.CAUDAL)
    given = prior.given({node: (prior.mean(node) + 3.0, 0.1)})
    assert given.mean(node) == pytest.approx(prior.mean(node) + 3.0, abs=0.05)
    moved = [given.mean((lv, End.CAUDAL)) - prior.mean((lv, End.CAUDAL)) for lv in (C4, C6)]
    assert all(1.5 < m < 3.6 for m in moved)
    assert all(given.sd(n) <= prior.sd(n) + 1e-9 for n in ((C4, End.CAUDAL), (C6, End.ROSTRAL)))
    assert given.sd(node) == pytest.approx(0.1, rel=0.01)
    assert prior.given({}) is prior


def test_a_floating_prior_knows_distances_and_no_place() -> None:
    floating = Prior.floating()
    assert floating.sd((C5, End.CAUDAL)) > 500
    given = floating.given({(C5, End.CAUDAL): (200.0, 0.1)})
    step = reference_data.COHORT_ZONES_MM[C6][1] - reference_data.COHORT_ZONES_MM[C5][1]
    assert given.mean((C6, End.CAUDAL)) == pytest.approx(200.0 + step, abs=0.3)
    assert given.sd((C6, End.CAUDAL)) < 2.5


def test_discs_place_and_scale_the_levels() -> None:
    near = Prior.from_discs({k: 100.0 + v for k, v in reference_data.PAM50_DISCS_MM.items()})
    for level, zone in reference_data.PAM50_ZONES_MM.items():
        assert near.mean((level, End.CAUDAL)) == pytest.approx(100.0 + zone[1], abs=0.2)
    small = Prior.from_discs({k: 100.0 + 0.8 * v for k, v in reference_data.PAM50_DISCS_MM.items()})
    assert small.mean((C6, End.CAUDAL)) == pytest.approx(
        100.0 + 0.8 * reference_data.PAM50_ZONES_MM[C6][1], abs=0.8
    )
    assert near.sd((C5, End.CAUDAL)) < near.sd((SpinalLevel.T6, End.CAUDAL))


def test_the_covariance_is_one() -> None:
    for prior in (Prior.floating(), Prior.from_pmj(3.0), Prior.from_discs({3: 0.0})):
        assert np.allclose(prior.covariance_mm2, prior.covariance_mm2.T)
        assert np.linalg.eigvalsh(prior.covariance_mm2).min() > -1e-6
        assert (np.diff(prior.mean_mm) >= -1e-9).all()
