"""Spinal against vertebral levels: shares, steps, distances, correlations, overlap."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.variability.distances import measure
from sct_rootlets.variability.study import Scan, Study
from sct_rootlets.variability.vertebral_position import (
    own_vertebra,
    position_rows,
    share_rows,
    wilson,
)
from tests.variability.studies import C5, C6, DISCS, table_of


def study(*middles: float, level: SpinalLevel = C6, pmj_mm: float | None = 0.0) -> Study:
    return Study(
        tuple(
            Scan(f"{k}", str(k), table_of({level: mm}, discs=DISCS, pmj_mm=pmj_mm))
            for k, mm in enumerate(middles)
        )
    )


def test_shares_like_those_of_cadavers() -> None:
    """15 of 16 subjects one vertebra above: C6 in the vertebra C5 (96 to 112 mm)."""
    rows = list(share_rows(measure(study(*[104.0] * 15, 114.0))))
    middle = {row.vertebra: row for row in rows if row.place == "midpoint"}
    assert set(middle) == {"C5", "C6"}
    assert (middle["C5"].vertebrae_above, middle["C6"].vertebrae_above) == (1, 0)
    assert middle["C5"].share_percent == pytest.approx(93.75)
    assert (middle["C5"].share_low, middle["C5"].share_high) == pytest.approx((71.7, 98.9), abs=0.1)
    assert middle["C5"].n_subjects == 16
    # borders lie 4 mm away from the middle
    rostral = {row.vertebra: row.share_percent for row in rows if row.place == "rostral"}
    assert rostral == pytest.approx({"C5": 100.0})


def test_a_subject_with_several_images_counts_once() -> None:
    scans = [
        Scan("a", "1", table_of({C6: 104.0}, discs=DISCS)),
        Scan("b", "1", table_of({C6: 104.0}, discs=DISCS)),
        Scan("c", "1", table_of({C6: 114.0}, discs=DISCS)),
        Scan("d", "2", table_of({C6: 104.0}, discs=DISCS)),
    ]
    rows = [row for row in share_rows(measure(Study(tuple(scans)))) if row.place == "midpoint"]
    shares = {row.vertebra: row.share_percent for row in rows}
    assert shares == pytest.approx({"C5": 100 * (2 / 3 + 1) / 2, "C6": 100 / 6})
    assert sum(shares.values()) == pytest.approx(100)
    assert {row.n_subjects for row in rows} == {2}


def test_levels_that_do_not_count_have_no_share() -> None:
    scans = (
        Scan("a", "1", table_of({C6: 104.0}, discs=DISCS, status="predicted")),
        Scan("b", "2", table_of({C5: 90.0}, discs=DISCS)),
    )
    assert {row.level for row in share_rows(measure(Study(scans)))} == {"C5"}


def test_shares_need_no_pmj() -> None:
    found = measure(study(104.0, 105.0, pmj_mm=None), origin="c2c3")
    assert [row.vertebra for row in share_rows(found) if row.place == "midpoint"] == ["C5"]


@pytest.mark.parametrize(
    ("level", "vertebra"), [("C1", "C1"), ("C7", "C7"), ("C8", "T1"), ("T1", "T1"), ("L2", "L2")]
)
def test_the_vertebra_of_the_same_name(level: str, vertebra: str) -> None:
    assert own_vertebra(SpinalLevel[level]) is VertebralLevel[vertebra]


def test_positions_against_the_vertebra_above() -> None:
    """C6 against the vertebra C5, whose middle is at 104 mm."""
    middles = [101.0, 103.0, 106.0]
    above = {row.vertebrae_above: row for row in position_rows(measure(study(*middles)))}[1]
    assert (above.level, above.vertebra, above.n_subjects) == ("C6", "C5", 3)
    away = 104 - np.array(middles)
    assert above.difference_mm == pytest.approx(away.mean())
    assert above.difference_sd_mm == pytest.approx(away.std(ddof=1))
    assert above.lower_mm == pytest.approx(away.mean() - 1.959964 * away.std(ddof=1))
    assert above.overlap_percent == pytest.approx(100.0)
    assert above.pearson is None  # the vertebra is at the same place in all of them


def test_correlation_over_subjects_and_overlap() -> None:
    scales = np.array([0.9, 1.0, 1.1, 1.05])
    scans = tuple(
        Scan(
            f"{k}",
            str(k),
            table_of({C6: 110.0 * s}, discs={n: mm * s for n, mm in DISCS.items()}, pmj_mm=-7.0),
        )
        for k, s in enumerate(scales)
    )
    above, own = (
        {row.vertebrae_above: row for row in position_rows(measure(Study(scans)))}[k]
        for k in (1, 0)
    )
    assert above.pearson == pytest.approx(1.0)
    assert above.spearman == pytest.approx(1.0)
    # of the 8 mm from 4 above to 4 below 110 s, those above the disc at 112 s
    assert above.overlap_percent == pytest.approx(float(np.mean(100 * (4 + 2 * scales) / 8)))
    assert own.overlap_percent == pytest.approx(float(np.mean(100 * (4 - 2 * scales) / 8)))
    assert own.vertebra == "C6"


def test_without_discs_there_are_no_rows() -> None:
    bare = Study((Scan("a", "1", table_of({C6: 104.0})), Scan("b", "2", table_of({C6: 105.0}))))
    assert not list(share_rows(measure(bare)))
    assert not list(position_rows(measure(bare)))


def test_shares_at_the_ends() -> None:
    assert wilson(0, 10)[0] == 0.0
    low, high = wilson(10, 10)
    assert high == pytest.approx(1.0)
    assert low == pytest.approx(0.722, abs=0.001)  # 1 / (1 + z^2 / n)
