"""A label image of levels against its table: edits of every kind, and no false alarm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage, save
from sct_rootlets.levels import LevelTable
from sct_rootlets.levels.edited import overruled, table_of_image, table_with_image
from sct_rootlets.levels.table.text import to_tsv
from tests.fmri.straight import TOP_MM, levels_on, table_of

C3, C4, C5, C6 = SpinalLevel.C3, SpinalLevel.C4, SpinalLevel.C5, SpinalLevel.C6
BORDERS = (20.3, 35.4, 48.1, 60.2)
SD_MM = (0.2, 0.3, 0.4, 0.5)
TABLE = table_of(BORDERS, sd_mm=SD_MM)


def edited(spacing_mm: float = 1.0, **levels: tuple[float, float]) -> LabelImage:
    """Return the levels of `BORDERS`, some of them painted anew between mm below the top."""
    image = levels_on(BORDERS, spacing_mm=spacing_mm)
    data = np.array(image.data)
    z = TOP_MM - image.grid.world_from_ijk(np.indices(data.shape).reshape(3, -1).T)[:, 2]
    z = z.reshape(data.shape)
    cord = np.any(data > 0, axis=2)[..., None] & np.ones(data.shape, bool)
    for name, (rostral, caudal) in levels.items():
        value = 0 if name.startswith("none") else SpinalLevel[name].value
        data[cord & (z >= rostral) & (z < caudal)] = value
    return LabelImage(data, image.grid, None, "straight_spinal_levels.nii.gz")


def borders_of(table: LevelTable, level: SpinalLevel) -> tuple[float | None, float | None]:
    row = table.row(level)
    assert row is not None
    return row.rostral_mm, row.caudal_mm


@pytest.mark.parametrize("spacing_mm", [0.5, 0.8, 1.0, 2.0])
def test_an_image_as_it_was_painted_leaves_the_table(spacing_mm: float) -> None:
    assert overruled(TABLE, edited(spacing_mm)) == (TABLE, ())


def test_one_moved_border_is_the_images_and_the_others_are_the_tables() -> None:
    table, (said,) = overruled(TABLE, edited(C3=(35, 40)))
    assert "C3/C4 5.0 mm caudally" in said
    assert "half a voxel (0.5 mm)" in said
    assert borders_of(table, C3) == (20.3, pytest.approx(40))
    assert borders_of(table, C4) == (pytest.approx(40), 48.1)
    assert borders_of(table, C5) == (48.1, 60.2)
    third, fourth, fifth = table.rows
    assert (third.rostral_sd_mm, third.caudal_sd_mm) == (0.2, 0.5)
    assert (fourth.rostral_sd_mm, fourth.caudal_sd_mm) == (0.5, 0.4)
    assert third.length_sd_mm == pytest.approx(np.hypot(0.2, 0.5))
    assert (third.flags, fourth.flags) == (("caudal_from_image",), ("rostral_from_image",))
    assert third.caudal_world is not None
    assert third.caudal_world[2] == pytest.approx(TOP_MM - 40)
    assert fifth == TABLE.rows[2]


def test_a_border_moved_by_one_voxel_counts() -> None:
    table, (said,) = overruled(TABLE, edited(C4=(34, 36)))
    assert "C3/C4 1.0 mm rostrally" in said
    assert borders_of(table, C3)[1] == pytest.approx(34)


@pytest.mark.parametrize("end", ["rostral", "caudal"])
def test_an_end_that_was_rubbed_out_counts(end: str) -> None:
    image = edited(none=(20, 24) if end == "rostral" else (55, 61))
    table, (said,) = overruled(TABLE, image)
    level, at = (C3, 24.0) if end == "rostral" else (C5, 55.0)
    assert f"{end} border of {level}" in said
    assert borders_of(table, level)[end == "caudal"] == pytest.approx(at, abs=0.5)


def test_what_lies_beyond_the_cord_mask_was_never_painted() -> None:
    """The table counts from the rostral end of the mask, and knows its length."""
    rows = [
        replace(row, rostral_mm=(row.rostral_mm or 0) - 24, caudal_mm=(row.caudal_mm or 0) - 24)
        for row in TABLE.rows
    ]
    table = replace(TABLE, rows=tuple(rows), details={"cord_length_mm": 31.0})
    assert overruled(table, edited(none1=(20, 24), none2=(55, 61))) == (table, ())


def test_a_level_that_was_added_is_measured() -> None:
    table, (said,) = overruled(TABLE, edited(C6=(60, 72)))
    assert "C6 is in the image only" in said
    row = table.row(C6)
    assert row is not None
    assert row.status == "measured"
    assert (row.rostral_mm, row.caudal_mm) == (pytest.approx(60), pytest.approx(72, abs=0.3))


def test_a_level_that_was_taken_away_is_unseen() -> None:
    table, (said,) = overruled(TABLE, edited(none=(48, 61)))
    assert "C5 is not in the image" in said
    row = table.row(C5)
    assert row is not None
    assert (row.status, row.rostral_mm) == ("unseen", None)
    assert borders_of(table, C4) == (35.4, 48.1)


def test_two_levels_whose_values_were_swapped_are_named() -> None:
    table, _ = overruled(TABLE, edited(C4=(20, 35.5), C3=(35.5, 48)))
    assert borders_of(table, C3) == (pytest.approx(35.5, abs=0.6), pytest.approx(48, abs=0.6))


def test_gaps_between_levels_are_borders_too() -> None:
    """As of the definition `extent`."""
    gap = replace(TABLE.rows[1], rostral_mm=38.4, rostral_world=(0.0, 0.0, TOP_MM - 38.4))
    table = replace(TABLE, rows=(TABLE.rows[0], gap, TABLE.rows[2]))
    assert overruled(table, edited(none=(35.4, 38.4))) == (table, ())
    _, (said,) = overruled(table, edited(none=(32.4, 38.4)))
    assert "caudal border of C3 3.0 mm rostrally" in said


def test_specks_and_a_hole_in_the_mask_are_no_borders() -> None:
    image = edited(none=(40, 42))
    data = np.array(image.data)
    data[12, 12, 20] = data[12, 12, 21] = 7
    assert overruled(TABLE, LabelImage(data, image.grid, None, image.path)) == (TABLE, ())


def test_a_table_of_another_cord_is_refused() -> None:
    image = edited()
    affine = image.grid.affine.copy()
    affine[0, 3] += 40
    with pytest.raises(InputError, match="40 mm away from a border"):
        overruled(TABLE, LabelImage(image.data, Grid(image.grid.shape, affine), None, image.path))


def test_image_and_table_find_each_other(tmp_path: Path) -> None:
    path = tmp_path / "straight_spinal_levels.nii.gz"
    image = edited(C3=(35, 40))
    save(image, path)
    beside = tmp_path / "straight_spinal_levels.tsv"
    beside.write_text(to_tsv(TABLE))
    by_table, said = table_with_image(beside)
    by_image, same = table_of_image(replace(image, path=str(path)))
    assert said == same != ()
    assert by_image == by_table
    # A table that has the name of some other image is compared with nothing.
    path.rename(tmp_path / "t2.nii.gz")
    beside.rename(tmp_path / "t2.tsv")
    assert table_with_image(tmp_path / "t2.tsv")[1] == ()
