"""Whether the numbering of levels is judged right, and how sure, against the vertebrae."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2, multivariate_normal

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage, load_labels
from sct_rootlets.levels import VertebralColumn, check_identity, predict_ends, renumber_labels
from sct_rootlets.levels.numbering.identity import MARGIN_MM, SHIFTS, UNLIKELY
from sct_rootlets.levels.population.prior import NODES, End, Prior
from sct_rootlets.levels.population.reference_data import PAM50_DISCS_MM, PAM50_ZONES_MM
from sct_rootlets.levels.zones.entry_zones import REACH_MM
from sct_rootlets.levels.zones.observed import observe
from sct_rootlets.phantom import random_anatomy, true_levels

Evidence = dict[tuple[SpinalLevel, End], tuple[float, float]]

CERVICAL = VertebralColumn({k: PAM50_DISCS_MM[k] for k in range(3, 9)})
C4_C6 = [SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6]


def _pam50(levels: list[SpinalLevel], *, off: float = 0.0, sd: float = 0.7) -> Evidence:
    """Return the ends of PAM50's own entry zones, `off` mm more caudal."""
    return {
        (level, end): (PAM50_ZONES_MM[level][number] + off, sd)
        for level in levels
        for number, end in enumerate(End)
    }


def _named(evidence: Evidence, shift: int) -> Evidence:
    return {(SpinalLevel(lv.value + shift), end): v for (lv, end), v in evidence.items()}


# --- the check --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "levels", [list(PAM50_ZONES_MM)[1:], C4_C6, [SpinalLevel.C5]], ids=["C3-T1", "C4-C6", "C5"]
)
@pytest.mark.parametrize("raised", SHIFTS)
def test_the_numbering_of_pam50_is_found_right_and_wrong(
    levels: list[SpinalLevel], raised: int
) -> None:
    identity = check_identity(_named(_pam50(levels), raised), CERVICAL)
    assert identity.best == -raised
    assert identity.probability[-raised] > 0.95
    assert identity.fit > 0.5
    assert bool(identity.warnings) == (raised != 0)
    assert identity.is_likely == (raised == 0)
    assert sum(identity.probability.values()) == pytest.approx(1.0)


def test_a_wrong_numbering_is_warned_of_in_plain_words() -> None:
    (text,) = check_identity(_named(_pam50(C4_C6), 1), CERVICAL).warnings
    assert "every name one more rostral, C6 as C5" in text
    assert "Either the rootlets or the vertebrae may be numbered wrong" in text
    high = VertebralColumn({k + 2: s for k, s in CERVICAL.disc_s_mm.items()})
    (two,) = check_identity(_pam50(C4_C6), high).warnings
    assert "every name two more caudal, C5 as C7" in two


def test_the_likelihood_is_that_of_the_joint_distribution() -> None:
    evidence = _pam50(C4_C6, off=3.0)
    column = VertebralColumn(CERVICAL.disc_s_mm, disc_sd_mm={5: 3.0})
    identity, prior = check_identity(evidence, column), predict_ends(column)
    values = np.array([value for value, _ in evidence.values()])
    for shift in SHIFTS:
        at = [NODES.index(node) for node in _named(evidence, shift)]
        covariance = prior.covariance_mm2[np.ix_(at, at)]
        covariance = covariance + (0.7**2 + MARGIN_MM**2) * np.eye(len(at))
        known = multivariate_normal(prior.mean_mm[at], covariance).logpdf(values)
        assert identity.log_likelihood[shift] == pytest.approx(known, abs=1e-6)
        top = np.exp(known - max(identity.log_likelihood.values()))
        assert identity.probability[shift] == pytest.approx(
            top * max(identity.probability.values()), abs=1e-9
        )
        if shift == identity.best:  # the share of people who lie as far off, or farther
            away = values - prior.mean_mm[at]
            share = chi2.sf(away @ np.linalg.solve(covariance, away), len(at))
            assert identity.fit == pytest.approx(share)


def test_a_numbering_that_may_be_right_is_not_warned_of() -> None:
    """Between two numberings the given one may be the less likely and still be right."""
    identity = check_identity(_pam50(C4_C6, off=8.5), CERVICAL)
    assert identity.best == 1
    assert UNLIKELY < identity.probability[0] < 0.5
    assert identity.is_likely
    assert identity.warnings == ()


def test_a_level_past_the_end_rules_a_shift_out() -> None:
    evidence = _pam50([SpinalLevel.C2, SpinalLevel.C3])
    identity = check_identity(evidence, CERVICAL)
    assert identity.log_likelihood[-2] == -np.inf
    assert identity.probability[-2] == 0.0
    assert np.isfinite(identity.log_likelihood[-1])
    report = identity.report()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["log_likelihood"]["-2"] is None
    assert report["best_shift"] == 0
    assert list(report["probability"]) == ["-2", "-1", "0", "+1", "+2"]


def test_without_evidence_nothing_is_said() -> None:
    identity = check_identity({}, CERVICAL)
    assert identity.best == 0
    assert identity.warnings == ()
    assert set(identity.probability.values()) == {0.2}
    assert UNLIKELY <= 0.2


def test_levels_that_no_numbering_fits_are_said() -> None:
    texts = check_identity(_pam50(C4_C6, off=80.0), CERVICAL).warnings
    assert any("do not fit under any numbering" in text for text in texts)
    assert any("both belong to one image" in text for text in texts)


# --- prior only -------------------------------------------------------------------------


def test_the_vertebrae_alone_predict_all_ends() -> None:
    prior = predict_ends(CERVICAL)
    assert np.array_equal(prior.mean_mm, Prior.from_discs(CERVICAL.disc_s_mm).mean_mm)
    for level in C4_C6:
        for number, end in enumerate(End):
            assert prior.mean((level, end)) == pytest.approx(PAM50_ZONES_MM[level][number], abs=1)
            assert 2.0 < prior.sd((level, end)) < 6.0


def test_less_certain_discs_predict_less_certainly() -> None:
    at = {5: 30.0, 6: 47.0}
    label, body = (
        predict_ends(VertebralColumn(at, disc_sd_mm=sd)) for sd in ({}, {5: 3.0, 6: 3.0})
    )
    assert np.array_equal(label.mean_mm, body.mean_mm)
    assert (np.diag(body.covariance_mm2) > np.diag(label.covariance_mm2)).all()
    # Both discs 3 mm off instead of 2: what lies between them is off by the mean of the two.
    node = SpinalLevel.C6, End.CAUDAL
    share = (label.mean(node) - 30.0) / 17.0
    extra = (3.0**2 - 2.0**2) * (share**2 + (1 - share) ** 2)
    assert body.sd(node) ** 2 - label.sd(node) ** 2 == pytest.approx(extra, rel=0.2)
    assert np.linalg.eigvalsh(body.covariance_mm2).min() > -1e-6


def test_predicted_ends_cover_those_of_phantoms() -> None:
    """The figures of all 200 phantoms are in the documentation; here the stated spread holds."""
    off: list[float] = []
    for seed in range(1000, 1016):
        anatomy = random_anatomy(seed)
        prior = predict_ends(VertebralColumn({k: anatomy.discs_mm[k] for k in (3, 4, 5, 6)}))
        for row in true_levels(anatomy).rows:
            ends = row.extent_rostral_mm, row.extent_caudal_mm
            nodes = (row.level, End.ROSTRAL), (row.level, End.CAUDAL)
            off += [(s - prior.mean(n)) / prior.sd(n) for s, n in zip(ends, nodes, strict=True)]
    assert np.mean(np.abs(off) < 1) > 0.58
    assert np.mean(np.abs(off) < 1.96) > 0.88


# --- renumbering ------------------------------------------------------------------------


def _image(values: list[int]) -> LabelImage:
    data: NDArray[np.int32] = np.array(values, dtype=np.int32).reshape(1, 1, -1)
    return LabelImage(data, Grid(data.shape, np.eye(4)), None, "rootlets.nii.gz")


def test_renumbering_is_undone_by_renumbering_back() -> None:
    image = _image([0, 2, 3, 3, 9, 20])
    raised = renumber_labels(image, 1)
    assert raised.data.ravel().tolist() == [0, 3, 4, 4, 10, 21]
    assert np.array_equal(renumber_labels(raised, -1).data, image.data)
    assert np.array_equal(renumber_labels(image, 0).data, image.data)
    assert image.data.ravel().tolist() == [0, 2, 3, 3, 9, 20]
    assert raised.path == image.path


def test_levels_past_the_end_become_background_and_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        lowered = renumber_labels(_image([1, 1, 2, 3, 30]), -2)
    assert lowered.data.ravel().tolist() == [0, 0, 0, 1, 28]
    assert "2 voxels of C1" in caplog.text
    assert "1 voxels of C2" in caplog.text
    assert renumber_labels(_image([29, 30]), 1).data.ravel().tolist() == [30, 0]


def test_only_spinal_levels_are_renumbered() -> None:
    with pytest.raises(InputError, match="value 31"):
        renumber_labels(_image([3, 31]), 1)


# --- real data --------------------------------------------------------------------------


def test_the_subjects_numbering_is_right_and_its_labelled_cord_is_not(shared_data: Path) -> None:
    folder = shared_data / "subject_t2"
    names = ("t2_seg-deepseg_rootlets", "t2_seg-manual", "discs", "labels", "t2_seg-manual_labeled")
    rootlets, cord, discs, labels, labelled = (load_labels(folder / f"{n}.nii.gz") for n in names)
    curve = Centerline.fit(cord)
    evidence = observe(rootlets, cord, curve, REACH_MM).evidence
    raised = renumber_labels(rootlets, 1)
    for column in (
        VertebralColumn.from_discs(discs, curve),
        VertebralColumn.from_labels(labels, curve),
    ):
        right = check_identity(evidence, column)
        assert right.best == 0
        assert right.probability[0] > 0.99
        assert right.warnings == ()
        wrong = check_identity(observe(raised, cord, curve, REACH_MM).evidence, column)
        assert wrong.best == -1
        assert wrong.probability[-1] > 0.99
        assert "C6 as C5" in wrong.warnings[0]
        assert np.array_equal(renumber_labels(raised, wrong.best).data, rootlets.data)
    low = check_identity(evidence, VertebralColumn.from_labels(labelled, curve))
    assert low.best == -1
    assert low.probability[0] < 0.001
    assert "Either the rootlets or the vertebrae" in low.warnings[0]
