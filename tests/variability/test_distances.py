"""Distances: origins, which rows count, and means of repeated images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.levels.table.level_table import LevelTable
from sct_rootlets.variability.distances import MEASURES, cell_means, measure
from sct_rootlets.variability.study import Scan, Study
from tests.variability.studies import C5, C6, DISCS, table_of


def one(table: LevelTable, subject: str = "1") -> Scan:
    return Scan(f"{subject}.tsv", subject, table)


def test_distances_from_the_pmj_wherever_s_is_zero() -> None:
    for pmj_mm in (0.0, -31.5, 12.0):
        found = measure(Study((one(table_of({C5: 86.0}, pmj_mm=pmj_mm)),)))
        assert dict(zip(MEASURES, found.values[0, 0], strict=True)) == pytest.approx(
            {"rostral": 82.0, "caudal": 90.0, "midpoint": 86.0, "length": 8.0}
        )


def test_distances_from_the_disc() -> None:
    table = table_of({C5: 86.0, C6: 100.0}, pmj_mm=-20.0, discs=DISCS)
    assert table.disc_s_mm == pytest.approx({k: s - 20.0 for k, s in DISCS.items()})
    found = measure(Study((one(table),)), origin="c2c3")
    assert found.values[0, :, 2] == pytest.approx([26.0, 40.0])
    assert found.values[0, 0, 3] == pytest.approx(8.0)


def test_the_disc_may_be_known_of_another_row_only() -> None:
    """A TSV without its JSON has the nearest disc of each row."""
    table = table_of({SpinalLevel.C3: 58.0, C5: 86.0}, discs=DISCS)
    rows = tuple(
        replace(row, vertebral=replace(row.vertebral, from_disc_mm={k: row.midpoint_mm - DISCS[k]}))
        for row, k in zip(table.rows, (3, 4), strict=True)
        if row.vertebral is not None and row.midpoint_mm is not None
    )
    found = measure(Study((one(replace(table, rows=rows)),)), origin="c2c3")
    assert found.values[0, :, 2] == pytest.approx([-2.0, 26.0])


def test_tables_without_the_origin() -> None:
    bare = one(table_of({C5: 86.0}, pmj_mm=None), "2")
    with pytest.raises(InputError, match=r"2\.tsv: has no distances from the ponto.*-pmj.*c2c3"):
        measure(Study((bare,)))
    with pytest.raises(InputError, match=r"no distances from the disc C2/C3.*-discs"):
        measure(Study((bare,)), origin="c2c3")
    found = measure(Study((one(table_of({C5: 86.0})), bare)))
    assert np.isnan(found.values[1, 0, :3]).all()
    assert found.values[1, 0, 3] == pytest.approx(8.0)
    assert "1 of 2 tables have no distance" in found.warnings[0]


def test_only_measured_levels_count_unless_asked_for() -> None:
    scans = (
        one(table_of({C5: 86.0})),
        one(table_of({C5: 90.0}, status="interpolated"), "2"),
        one(table_of({C5: 99.0}, status="predicted"), "3"),
    )
    found = measure(Study(scans))
    assert np.isfinite(found.values[:, 0, 2]).tolist() == [True, False, False]
    assert found.is_left_out[:, 0].tolist() == [[False] * 4, [True] * 4, [True] * 4]
    both = measure(Study(scans), statuses=("measured", "interpolated"))
    assert np.isfinite(both.values[:, 0, 2]).tolist() == [True, True, False]
    only = measure(Study(scans), statuses=("predicted",))
    assert np.isfinite(only.values[:, 0, 2]).tolist() == [False, False, True]


@pytest.mark.parametrize(
    "flag", ["rostral_estimated", "cut_rostral", "caudal_estimated", "cut_caudal"]
)
def test_borders_that_were_not_seen_do_not_count(flag: str) -> None:
    study = Study((one(table_of({C5: 86.0}, flags=(flag, "strays"))),))
    found = measure(study)
    seen = {"rostral": "rostral" not in flag, "caudal": "caudal" not in flag}
    expected = [seen["rostral"], seen["caudal"], False, False]
    assert np.isfinite(found.values[0, 0]).tolist() == expected
    assert found.is_left_out[0, 0].tolist() == [not counts for counts in expected]
    asked = measure(study, statuses=("measured", "estimated"))
    assert np.isfinite(asked.values).all()


def test_words_that_are_no_status() -> None:
    study = Study((one(table_of({C5: 86.0})),))
    for statuses in (("mesured",), ("unseen",), ()):
        with pytest.raises(UsageError, match="no status"):
            measure(study, statuses=statuses)
    with pytest.raises(UsageError, match="no origin"):
        measure(study, origin="nose")
    with pytest.raises(InputError, match="none of the 1 tables has a level that counts"):
        measure(study, statuses=("predicted",))


def test_means_of_cells() -> None:
    values = np.array([[1.0], [3.0], [np.nan], [7.0], [np.nan]])
    keys, means = cell_means(values, ["a", "a", "a", None, "b"])
    assert keys == ["a", "b"]
    np.testing.assert_array_equal(means, [[2.0], [np.nan]])
