"""Our files under the rules of SCT's tools, as its source states them; no SCT is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.image import LabelImage
from sct_rootlets.levels import Derived, LevelOptions, LevelTable
from sct_rootlets.levels.axial_slices import with_slices
from sct_rootlets.levels.paint import paint_levels, paint_points
from sct_rootlets.levels.table.level_table import LevelRow
from sct_rootlets.phantom import Phantom
from tests.levels.bent_cord import BentCord, rotation
from tests.sct.rules import (
    TEMPLATE_ROOTLETS,
    TEMPLATE_SPINAL,
    landmark_problems,
    level_by_table,
    level_of_slices,
    mixed_slices,
    slices_of_levels,
)

Given = LabelImage | Path
Pair = tuple[Given, Given]


@pytest.fixture(scope="module", params=["phantom", "subject", "template"])
def given(request: pytest.FixtureRequest, phantom_small: Phantom) -> Pair:
    if request.param == "phantom":
        return phantom_small.rootlets, phantom_small.cord
    data = request.getfixturevalue("shared_data")
    if request.param == "subject":
        subject = data / "subject_t2"
        return subject / "t2_seg-deepseg_rootlets.nii.gz", subject / "t2_seg-manual.nii.gz"
    template = data / "pam50_small"
    return template / "PAM50_small_rootlets.nii.gz", template / "PAM50_small_cord.nii.gz"


def derived(given: Pair, **options: Any) -> Derived:
    return pipeline.levels(*given, options=LevelOptions(**options)).derived


@pytest.mark.parametrize("definition", ["caudal", "extent"])
def test_axial_levels_have_the_slices_of_the_table(given: Pair, definition: str) -> None:
    found = derived(given, definition=definition, axial=True)
    assert level_of_slices(found.levels) == level_by_table(found.table)
    assert mixed_slices(found.levels) == {}


def test_perpendicular_levels_have_them_but_for_their_free_ends(given: Pair) -> None:
    found = derived(given)
    by_rule, wanted = level_of_slices(found.levels), level_by_table(found.table)
    assert {k: by_rule.get(k) for k in wanted} == wanted
    assert len(set(by_rule) - set(wanted)) <= 2


@pytest.mark.parametrize("degrees", [0.0, 20.0, 40.0])
def test_how_oblique_slices_mix_levels(degrees: float) -> None:
    """The figures of docs/perlevel.md: mixed slices are many, wrong ones next to none."""
    shape = BentCord(length_mm=80.0, radius_mm=120.0)
    cord, _ = shape.render(shape.grid((1.0, 1.0, 1.0), rotation(0, degrees) @ rotation(1, 3.0)))
    curve = Centerline.fit(cord)
    ends = np.array([8.4, 21.7, 35.2, 50.6, 62.1])
    rows = tuple(
        LevelRow(SpinalLevel(3 + k), "measured", *map(float, ends[k : k + 2])) for k in range(4)
    )
    table = with_slices(LevelTable(rows, "caudal", 1.5), cord.grid, curve)
    wanted = level_by_table(table)
    across, along = (paint_levels(cord, curve, table, axial=axial) for axial in (True, False))
    assert level_of_slices(across) == wanted
    by_rule, mixed = level_of_slices(along), mixed_slices(along)
    assert sum(by_rule[k] != level for k, level in wanted.items()) <= 1
    # Never a level that is not in the slice, which a mean of numbers might be.
    assert all(by_rule[k] in levels for k, levels in mixed.items())
    extra = set(by_rule) - set(wanted)
    if degrees == 40:
        assert len(mixed) >= 10
        assert len(extra) >= 3
    assert extra <= {*range(min(wanted) - 4, min(wanted)), *range(max(wanted) + 1, max(wanted) + 5)}
    assert set(slices_of_levels(across)) == {3, 4, 5, 6}


def test_midpoints_are_landmarks_of_the_template(given: Pair) -> None:
    found = derived(given)
    points = paint_points(found.levels, found.centerline, found.table, "midpoint").labels
    assert landmark_problems(points, TEMPLATE_SPINAL) == []
    # Each at the cord, since SCT moves a label to the nearest point of the centerline.
    at = found.centerline.project(points.points_world())
    assert at.radius_mm.max() <= 1.5
    assert at.s_mm.min() >= found.centerline.start_mm - 2
    assert at.s_mm.max() <= found.centerline.end_mm + 2


def test_rootlets_are_landmarks_of_the_template_and_c1_is_none(phantom_small: Phantom) -> None:
    rootlets = phantom_small.rootlets
    centres = np.zeros(rootlets.grid.shape, dtype=np.int32)
    for label in rootlets.labels:  # sct_label_utils -cubic-to-point
        i, j, k = np.rint(np.argwhere(rootlets.data == label).mean(axis=0)).astype(int)
        centres[i, j, k] = label
    points = rootlets.with_data(centres)
    assert landmark_problems(points, TEMPLATE_ROOTLETS) == []
    with_c1 = points.with_data(np.where(centres == 3, 1, centres))
    assert landmark_problems(with_c1, TEMPLATE_ROOTLETS) == ["not in the template: [1]"]
