"""Discs read from the centres of vertebral bodies, against known discs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sct_rootlets.anatomy import VertebralLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.levels import VertebralColumn
from sct_rootlets.levels.population.reference_data import PAM50_DISCS_MM
from sct_rootlets.levels.spine.vertebrae import VERTEBRA_HEIGHT_MM
from tests.levels.bent_neck import DISCS, points_at


def _centres(discs: dict[int, float]) -> dict[int, float]:
    """Return the middle of every vertebra, by its value: vertebra N is below disc N."""
    return {a: (discs[a] + discs[b]) / 2 for a, b in pairwise(sorted(discs))}


#: Discs in the proportions of PAM50, in a cord of 0.9 times its size.
IN_PROPORTION = {k: 10.0 + 0.9 * PAM50_DISCS_MM[k] for k in range(3, 10)}


def _straight(at: dict[int, float]) -> tuple[LabelImage, Centerline]:
    """Return point labels beside a straight cord, to 0.05 mm, and its centerline."""
    affine = np.diag([1.0, 1.0, -0.1, 1.0])
    data = np.zeros((3, 3, 1500), dtype=np.int32)
    for label, s in at.items():
        data[1, 1, round(10 * s)] = label
    image = LabelImage(data, Grid((3, 3, 1500), affine), None, "points.nii.gz")
    return image, Centerline.from_points([(1.0, 1.0, 0.0), (1.0, 1.0, -150.0)])


def test_discs_are_exact_where_vertebrae_are_those_of_pam50() -> None:
    centres = _centres(IN_PROPORTION)
    for left_out in (set(), {4}, {5, 6}):
        image, line = _straight({k: s for k, s in centres.items() if k not in left_out})
        column = VertebralColumn.from_body_centres(image, line)
        assert column.disc_s_mm == pytest.approx(IN_PROPORTION, abs=0.15)
    image, line = _straight({5: 50.0})
    half = 0.93 * VERTEBRA_HEIGHT_MM[VertebralLevel.C5] / 2
    found = VertebralColumn.from_body_centres(image, line).disc_s_mm
    assert found == pytest.approx({5: 50.0 - half, 6: 50.0 + half}, abs=0.06)
    image, line = _straight(DISCS)
    found = VertebralColumn.from_discs(image, line).disc_s_mm
    assert found == pytest.approx(DISCS, abs=0.06)


@pytest.mark.parametrize("dorsal", [0.0, -8.0])
def test_discs_lie_between_body_centres(curve: Centerline, grid: Grid, dorsal: float) -> None:
    labels = points_at(grid, _centres(IN_PROPORTION), dorsal)
    assert labels.labels == [3, 4, 5, 6, 7, 8]  # C3 to T1
    column = VertebralColumn.from_body_centres(labels, curve)
    assert list(column.disc_s_mm) == [3, 4, 5, 6, 7, 8, 9]
    for label, s in IN_PROPORTION.items():
        assert column.disc_s_mm[label] == pytest.approx(s, abs=1.2)
    sd = column.disc_sd_mm
    assert sd[4] == sd[8] == pytest.approx(2.5)
    assert sd[3] == sd[9] == pytest.approx(3.2, abs=0.05)
    assert column.source == "centres of vertebral bodies (discs.nii.gz)"


def test_a_missing_body_centre_is_bridged_and_said(curve: Centerline, grid: Grid) -> None:
    centres = _centres(IN_PROPORTION)
    del centres[5]
    column = VertebralColumn.from_body_centres(points_at(grid, centres), curve)
    for label, s in IN_PROPORTION.items():
        assert column.disc_s_mm[label] == pytest.approx(s, abs=1.2)
    assert column.disc_sd_mm[5] == column.disc_sd_mm[6] > column.disc_sd_mm[4]
    assert any("no body centre of C5" in text for text in column.warnings)


def test_sacral_vertebrae_make_no_disc_and_are_said(curve: Centerline, grid: Grid) -> None:
    column = VertebralColumn.from_body_centres(points_at(grid, {24: 50.0, 25: 80.0}), curve)
    assert list(column.disc_s_mm) == [24, 25]  # L4/L5 and L5/S1, about L5
    assert any("S1" in text for text in column.warnings)


def test_body_centres_in_disorder_are_refused(curve: Centerline, grid: Grid) -> None:
    with pytest.raises(InputError, match=r"centre of C4 .* not caudal of C3"):
        VertebralColumn.from_body_centres(points_at(grid, {3: 50.0, 4: 30.0}), curve)
