"""Levels from two label images, against known cords."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sct_rootlets.anatomy import ROOTLET_LEVELS, SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Grid, LabelImage
from sct_rootlets.inputs import LandmarkImages
from sct_rootlets.levels import LevelOptions, derive
from sct_rootlets.levels.paint import UNPAINTED, paint_levels
from sct_rootlets.levels.table.text import to_tsv
from tests.levels.bent_cord import CORD, WHOLE, Pair, accuracy, nameless, point_labels, turned
from tests.orientations import TURNS
from tests.synthetic import Neck


def test_levels_of_a_known_cord(pair: Pair) -> None:
    cord, rootlets = pair
    derived = derive(rootlets, cord)
    rows = {str(row.level): row for row in derived.table.rows}
    assert list(rows) == ["C1", *[level.name for level in ROOTLET_LEVELS]]
    for name, value in (("C4", 4), ("C5", 5), ("C6", 6)):
        end = rows[name].caudal_world
        s = CORD.cord_coordinates(np.array([end]))[0][0]
        assert s == pytest.approx(CORD.entry(value)[1], abs=0.8)
        assert rows[name].status == "measured"
        assert min(rows[name].n_voxels.values()) > 10
    assert rows["C5"].rostral_mm == rows["C4"].caudal_mm
    assert rows["C7"].status == "unseen"
    assert rows["C7"].caudal_world is None
    painted = paint_levels(cord, derived.centerline, derived.table)
    np.testing.assert_array_equal(derived.levels.data, painted.data)


def test_every_orientation_gives_the_same_levels(pair: Pair) -> None:
    cord, rootlets = pair
    reference = derive(rootlets, cord).table
    for axes, flips in TURNS:
        table = derive(turned(rootlets, axes, flips), turned(cord, axes, flips)).table
        for row, known in zip(table.rows, reference.rows, strict=True):
            assert row.status == known.status
            if known.caudal_mm is None:
                continue
            assert (row.slices.start, row.slices.end) == (known.slices.start, known.slices.end)
            assert row.rostral_mm == pytest.approx(known.rostral_mm, abs=1e-3)
            assert row.caudal_mm == pytest.approx(known.caudal_mm, abs=1e-3)
            assert row.caudal_world == pytest.approx(known.caudal_world, abs=1e-3)


def test_an_interpolated_level_lies_between_its_neighbours(pair: Pair) -> None:
    cord, rootlets = pair
    missing = rootlets.with_data(np.where(rootlets.data == 5, 0, rootlets.data))
    table = derive(missing, cord).table
    row = table.row(SpinalLevel.C5)
    known = derive(rootlets, cord).table.row(SpinalLevel.C5)
    assert row.status == "interpolated"
    assert row.caudal_mm == pytest.approx(known.caudal_mm, abs=2.0)
    assert row.caudal_sd_mm > 1.0 > known.caudal_sd_mm


def test_one_c2c3_point_is_enough_where_values_are_told_to_be_no_levels(whole: Pair) -> None:
    cord, rootlets = whole
    point = WHOLE.world(np.array([40.0]), np.zeros(1), np.array([-8.0]))[0]
    landmarks = LandmarkImages(c2c3_world=tuple(point))
    derived = derive(rootlets, cord, landmarks, has_level_identity=False)
    assert derived.numbering is not None
    assert accuracy(derived.rootlets, rootlets) > 0.99
    assert derived.table.details["discs_mm"]["C2/C3"] == pytest.approx(40.0, abs=1.5)


def test_the_pmj_gives_distances(pair: Pair) -> None:
    cord, rootlets = pair
    affine = np.eye(4)
    affine[:3, 3] = CORD.world(np.array([-20.0]), np.zeros(1), np.zeros(1))[0]
    pmj = LabelImage(np.full((1, 1, 1), 50), Grid((1, 1, 1), affine))
    table = derive(rootlets, cord, LandmarkImages(pmj=pmj)).table
    assert table.pmj_mm == pytest.approx(-20.0, abs=1.5)


def test_no_disc_says_what_is_needed_and_why(pair: Pair) -> None:
    cord, rootlets = pair
    with pytest.raises(UsageError, match="at least one disc") as error:
        derive(nameless(rootlets), cord)
    assert "-c2c3" in str(error.value)
    assert "no level identity" in str(error.value)
    other = point_labels(cord.grid, {50: cord.grid.world_from_ijk([2, 2, 2])})
    with pytest.raises(UsageError, match=r"discs\.nii\.gz has none"):
        derive(nameless(rootlets), cord, LandmarkImages(other))


def test_swapped_arguments_are_recognised(pair: Pair) -> None:
    cord, rootlets = pair
    for first in (cord, cord.with_data(cord.data * 3)):
        with pytest.raises(UsageError, match=r"cord\.nii\.gz.*rootlets\.nii\.gz"):
            derive(first, rootlets)


def test_unusable_inputs_are_refused(pair: Pair) -> None:
    cord, rootlets = pair
    with pytest.raises(InputError, match="no spinal levels"):
        derive(rootlets.with_data(rootlets.data * 20), cord)
    smaller = Grid((*cord.grid.shape[:2], cord.grid.shape[2] - 1), cord.grid.affine)
    shorter = LabelImage(rootlets.data[:, :, :-1], smaller, None, "r")
    with pytest.raises(InputError, match="not on the grid"):
        derive(shorter, cord)
    with pytest.raises(InputError, match="empty"):
        derive(rootlets.with_data(rootlets.data * 0), cord)


def test_the_result_is_finished(pair: Pair) -> None:
    """Slices, name and warnings are there, whatever the definition; the painting is asked for."""
    cord, rootlets = pair
    soft = replace(cord, remarks=("cord.nii.gz was cut at 0.5",))
    for definition in ("caudal", "valosek2024"):
        options = LevelOptions(definition, axial=True)
        derived = derive(rootlets, soft, options=options, remarks=("the image was cut",))
        table = derived.table
        assert table.fname == "rootlets.nii.gz"
        assert {"the image was cut", "cord.nii.gz was cut at 0.5"} <= {*table.warnings}
        assert table.row(SpinalLevel.C5).slices is not None
        painted = paint_levels(cord, derived.centerline, table, axial=True)
        np.testing.assert_array_equal(derived.levels.data, painted.data)
    longer = derive(rootlets, cord, options=LevelOptions(extend=SpinalLevel.T12), fname="other")
    assert longer.table.fname == "other"
    assert UNPAINTED in longer.table.warnings[-1]


def test_the_published_method_comes_with_its_own_slices(neck: Neck) -> None:
    options = LevelOptions("valosek2024", dilation_voxels=1)
    assert options.parameters["dilation_voxels"] == 1
    table = derive(neck.rootlets, neck.cord, options=options).table
    assert table.definition == "valosek2024"
    assert table.reach_mm is None
    c4, c5 = (table.row(SpinalLevel(value)) for value in (4, 5))
    assert c5.rostral_mm > c4.caudal_mm + 1  # gaps stay
    # Slice k has its middle 99.5 - k mm below the top.
    assert c4.rostral_mm == pytest.approx(99 - c4.slices.end, abs=0.3)
    assert c4.caudal_mm == pytest.approx(100 - c4.slices.start, abs=0.3)


def test_the_published_method_on_rootlets_that_discs_number(neck: Neck) -> None:
    options, landmarks = LevelOptions("valosek2024"), LandmarkImages(neck.discs)
    derived = derive(nameless(neck.rootlets), neck.cord, landmarks, options)
    named = derive(neck.rootlets, neck.cord, landmarks, options)
    assert to_tsv(derived.table) == to_tsv(named.table)
    assert derived.numbering is not None
