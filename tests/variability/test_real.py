"""The 14 measured subjects: their published means and standard deviations come out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.variability import cohort_study
from sct_rootlets.variability import analyse

#: docs/phantom.md: mean and SD of top, bottom, middle and length, mm.
TABLE = {
    "C3": ((48.2, 2.6), (59.9, 3.5), (54.1, 3.0), (11.8, 1.9)),
    "C4": ((65.2, 3.6), (74.9, 4.3), (70.0, 3.9), (9.7, 1.4)),
    "C5": ((81.6, 4.6), (91.3, 4.8), (86.5, 4.6), (9.7, 1.4)),
    "C6": ((96.4, 4.9), (105.6, 5.2), (101.0, 5.0), (9.2, 1.3)),
    "C7": ((111.1, 4.9), (119.9, 5.6), (115.5, 5.2), (8.8, 1.4)),
    "C8": ((124.7, 6.1), (133.7, 6.8), (129.2, 6.4), (9.0, 1.5)),
    "T1": ((139.1, 7.7), (148.3, 8.5), (143.7, 8.0), (9.2, 2.2)),
}


def test_the_cohort(shared_data: Path) -> None:
    found = analyse(cohort_study(shared_data), n_resamples=400)
    assert [str(level) for level in found.distances.levels] == list(TABLE)
    for level, numbers in TABLE.items():
        for measure, (mean, sd) in zip(
            ("rostral", "caudal", "midpoint", "length"), numbers, strict=True
        ):
            (row,) = found.find(level=level, measure=measure)
            assert row.n_subjects == row.n_images
            # the table is rounded to 0.1 mm, twice for some
            assert (row.mean_mm, row.sd_mm) == pytest.approx((mean, sd), abs=0.06)
    covs = {row.level: row.cov_percent for row in found.find(measure="midpoint")}
    assert covs["C5"] == pytest.approx(5.36, abs=0.01)
