"""Coefficients of variation in every scope, against arithmetic and the published scripts."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.variability.analysis import Variability, analyse
from sct_rootlets.variability.group_spread import GroupSpread, between_groups
from sct_rootlets.variability.resampling import Resampler
from sct_rootlets.variability.spread import SpreadRow
from sct_rootlets.variability.study import Scan, Study, read_study
from sct_rootlets.variability.within_spread import WithinSpread, within_subjects
from tests.variability.studies import C5, C6, study_of, table_of

HEADER = (
    "spinal_level,fname,slice_start,slice_end,distance_from_pmj_start,distance_from_pmj_end,height"
)


def row_of(found: Variability, scope: str, factor: str = "all", **wanted: str) -> SpreadRow:
    (row,) = found.find(
        **{"scope": scope, "factor": factor, "group": "all", "level": "C5", "measure": "midpoint"}
        | wanted
    )
    return row


def cov(values: list[float]) -> float:
    return 100 * statistics.stdev(values) / statistics.fmean(values)


def published_csv(folder: Path, fname: str, ends: dict[int, tuple[float, float]]) -> Path:
    """Write a CSV as the published script does: the start is the caudal end."""
    path = folder / fname.replace(".nii.gz", "_pmj_distance.csv")
    lines = (f"{k}.0,{fname},10,20,{low},{top},{low - top}" for k, (top, low) in ends.items())
    path.write_text("\n".join([HEADER, *lines, ""]))
    return path


def draw(rng: np.random.Generator) -> dict[int, tuple[float, float]]:
    """Return the ends of C2-C8 in one image."""
    middles = np.array([40.0, 54, 70, 86, 101, 115, 129]) * rng.normal(1, 0.013)
    middles += rng.normal(0, 0.3, 7)
    halves = rng.uniform(3, 6, 7)
    return {
        level: (float(m - h), float(m + h))
        for level, m, h in zip(range(2, 9), middles, halves, strict=True)
    }


def middle(ends: tuple[float, float]) -> float:
    return ends[0] + (ends[1] - ends[0]) / 2


def test_inter_site_and_inter_vendor_as_published(tmp_path: Path) -> None:
    """One person at many sites, which the data set calls subjects: CoV over sites by vendor.

    The published figures (Valosek et al. 2024) are, for each level, 100 SD / mean over the sites
    of a vendor, SD with n - 1; then mean and SD of these over the levels.
    """
    rng = np.random.default_rng(1)
    sites = {"GE": 4, "Philips": 3, "Siemens": 6}
    ends: dict[str, dict[str, dict[int, tuple[float, float]]]] = {}
    lines, paths = ["participant_id\tmanufacturer"], []
    for vendor, n in sites.items():
        for k in range(n):
            site = f"{vendor.lower()}{k}"
            lines.append(f"sub-{site}\t{vendor}")
            found = draw(rng)
            ends.setdefault(vendor, {})[site] = found
            paths.append(published_csv(tmp_path, f"sub-{site}_T2w_label-rootlet.nii.gz", found))
    people = tmp_path / "participants.tsv"
    people.write_text("\n".join(lines) + "\n")
    answer = analyse(read_study(paths, people, ["vendor"]), n_resamples=200)
    everybody = [found for of_vendor in ends.values() for found in of_vendor.values()]
    for level in range(2, 9):
        name = {"level": str(SpinalLevel(level))}
        expected = cov([middle(found[level]) for found in everybody])
        assert row_of(answer, "between_subjects", **name).cov_percent == pytest.approx(expected)
    for vendor, of_vendor in ends.items():
        covs = []
        for level in range(2, 9):
            covs.append(cov([middle(found[level]) for found in of_vendor.values()]))
            name = {"group": vendor, "level": str(SpinalLevel(level))}
            row = row_of(answer, "between_subjects", "vendor", **name)
            assert row.cov_percent == pytest.approx(covs[-1])
            assert row.n_subjects == sites[vendor]
        mean = row_of(answer, "between_subjects", "vendor", group=vendor, level="mean")
        assert mean.cov_percent == pytest.approx(statistics.fmean(covs))
        assert mean.cov_sd_percent == pytest.approx(statistics.stdev(covs))


def test_inter_session_as_published(tmp_path: Path) -> None:
    """One subject with ten sessions: for each level, 100 SD / mean over the sessions."""
    rng = np.random.default_rng(2)
    ends = {f"{k:02d}": draw(rng) for k in range(1, 11)}
    paths = [
        published_csv(tmp_path, f"sub-01_ses-{ses}_T2w_label-rootlet.nii.gz", found)
        for ses, found in ends.items()
    ]
    answer = analyse(read_study(paths, by=["session"]), n_resamples=300)
    for level in range(2, 9):
        expected = cov([middle(found[level]) for found in ends.values()])
        for scope in ("within_subject_mean", "within_subject_rms", "between_groups"):
            row = row_of(answer, scope, "session", level=str(SpinalLevel(level)))
            assert row.cov_percent == pytest.approx(expected)
            assert row.ci_over == ("groups" if scope == "between_groups" else "images")
            assert (row.n_subjects, row.n_groups, row.n_images) == (1, 10, 10)


def test_inter_rater_as_published(tmp_path: Path) -> None:
    """Five subjects, four raters: 100 SD / mean over raters, then the mean over subjects."""
    rng = np.random.default_rng(3)
    ends = {(s, r): draw(rng) for s in range(5) for r in range(1, 5)}
    paths = [
        published_csv(tmp_path, f"sub-{s}_T2w_label-rootlet_rater{r}.nii.gz", found)
        for (s, r), found in ends.items()
    ]
    answer = analyse(read_study(paths, by=["rater"]), n_resamples=300)
    for level in range(2, 9):
        covs = [cov([middle(ends[s, r][level]) for r in range(1, 5)]) for s in range(5)]
        name = {"level": str(SpinalLevel(level))}
        mean = row_of(answer, "within_subject_mean", "rater", **name)
        assert mean.cov_percent == pytest.approx(statistics.fmean(covs))
        rms = row_of(answer, "within_subject_rms", "rater", **name)
        assert rms.cov_percent == pytest.approx(math.sqrt(statistics.fmean(c**2 for c in covs)))


def test_a_subject_counts_once_however_often_it_was_scanned() -> None:
    found = analyse(study_of([("1", {}, 80.0), ("1", {}, 84.0), ("2", {}, 90.0), ("3", {}, 70.0)]))
    row = row_of(found, "between_subjects")
    assert (row.n_subjects, row.n_images) == (3, 4)
    assert row.mean_mm == pytest.approx((82 + 90 + 70) / 3)
    assert row.sd_mm == pytest.approx(statistics.stdev([82, 90, 70]))
    assert row.cov_percent == pytest.approx(cov([82, 90, 70]))


def test_every_measure_of_a_level() -> None:
    found = analyse(study_of([("1", {}, 80.0), ("2", {}, 90.0)]))
    means = {row.measure: row.mean_mm for row in found.spread}
    assert means == pytest.approx({"rostral": 81, "caudal": 89, "midpoint": 85, "length": 8})
    (length,) = found.find(measure="length")
    assert (length.sd_mm, length.cov_percent, length.cov_low) == (0.0, 0.0, None)


def test_other_raters_are_kept_apart_within_subjects() -> None:
    """Raters that differ by 10 mm do not make sessions differ, nor hide that they do."""
    positions = [
        (subject, {"session": ses, "rater": rater}, 80.0 + bias + shift * sign)
        for subject, shift in (("1", 1.0), ("2", 2.0))
        for ses, sign in (("a", -1), ("b", 1))
        for rater, bias in (("x", 0.0), ("y", 10.0))
    ]
    found = analyse(study_of(positions, ("session", "rater")))
    covs = {}
    for subject, shift in (("1", 1.0), ("2", 2.0)):
        squares = [cov([80 + b - shift, 80 + b + shift]) ** 2 for b in (0.0, 10.0)]
        covs[subject] = math.sqrt(statistics.fmean(squares))
    row = row_of(found, "within_subject_mean", "session")
    assert row.cov_percent == pytest.approx(statistics.fmean(covs.values()))
    assert (row.n_subjects, row.n_groups, row.n_images) == (2, 2, 8)
    assert row.sd_mm == pytest.approx(math.sqrt((2 + 2 + 8 + 8) / 4))


def test_factors_that_follow_from_each_other_are_not_kept_apart() -> None:
    """A vendor is known by its site: sites of different vendors are compared all the same."""
    positions = [
        (subject, {"site": site, "vendor": vendor}, 80.0 + away)
        for subject in ("1", "2")
        for site, vendor, away in (("a", "GE", 0.0), ("b", "Philips", 2.0), ("c", "GE", 5.0))
    ]
    found = analyse(study_of(positions, ("site", "vendor")))
    row = row_of(found, "within_subject_mean", "site")
    assert row.cov_percent == pytest.approx(cov([80, 82, 85]))
    assert row.n_groups == 3


def test_levels_left_out_are_counted() -> None:
    scans = tuple(
        Scan(f"{k}", str(k), table_of({C5: 80.0 + k}, status="measured" if k else "interpolated"))
        for k in range(4)
    )
    row = row_of(analyse(Study(scans)), "between_subjects")
    assert (row.n_subjects, row.n_images, row.n_left_out) == (3, 3, 1)


def test_a_mean_that_is_not_positive_has_no_coefficient() -> None:
    found = analyse(study_of([("1", {}, -2.0), ("2", {}, 1.0), ("3", {}, -5.0)]))
    row = row_of(found, "between_subjects")
    assert row.mean_mm == pytest.approx(-2.0)
    assert row.sd_mm == pytest.approx(3.0)
    assert row.cov_percent is None


def test_a_level_that_one_subject_has_only() -> None:
    scans = (
        Scan("a", "1", table_of({C5: 80.0, C6: 100.0})),
        Scan("b", "2", table_of({C5: 84.0})),
    )
    found = analyse(Study(scans))
    row = row_of(found, "between_subjects", level="C6")
    assert (row.n_subjects, row.mean_mm, row.sd_mm, row.cov_percent) == (1, 100.0, None, None)


RESAMPLER = Resampler(0, 500)
NAN = np.nan


def within(cells: np.ndarray, subjects: list[str]) -> WithinSpread:
    found = within_subjects(cells, subjects, RESAMPLER)
    assert found is not None
    return found


def between(cells: np.ndarray, is_crossed: bool, resampler: Resampler = RESAMPLER) -> GroupSpread:
    found = between_groups(cells, is_crossed=is_crossed, resampler=resampler)
    assert found is not None
    return found


def test_degrees_of_freedom_weigh_the_squares() -> None:
    cells = np.array([[98.0, 102.0, NAN], [99.0, 100.0, 101.0], [50.0, NAN, NAN]])
    found = within(cells, ["1", "2", "3"])
    first, second = 100 * np.sqrt(8) / 100, 1.0
    assert (found.n_subjects, found.n_groups, found.mean) == (2, 3, 100.0)
    assert found.rms == pytest.approx(np.sqrt((first**2 + 2 * second**2) / 3))
    assert found.average == pytest.approx((first + second) / 2)
    assert found.sd == pytest.approx(np.sqrt((8 + 2) / 3))
    assert found.rms_interval is None  # two subjects


def test_rows_of_one_subject_are_one_subject() -> None:
    cells = np.array([[98.0, 102.0], [99.0, 101.0], [97.0, 103.0]])
    found = within(cells, ["1", "1", "2"])
    squares = np.array([8.0, 2.0, 18.0])
    assert found.n_subjects == 2
    assert found.rms == pytest.approx(np.sqrt(squares.mean()))
    assert found.average == pytest.approx((np.sqrt(5.0) + np.sqrt(18.0)) / 2)


def test_the_root_mean_square_finds_the_truth_and_the_mean_of_two_does_not() -> None:
    rng = np.random.default_rng(5)
    cells = 100 * (1 + rng.normal(0, 0.05, (4000, 1))) * (1 + rng.normal(0, 0.013, (4000, 2)))
    found = within(cells, [str(k) for k in range(4000)])
    assert found.rms == pytest.approx(1.3, rel=0.03)
    assert found.average == pytest.approx(np.sqrt(2 / np.pi) * 1.3, rel=0.03)


def test_the_only_subject_draws_its_images_again() -> None:
    values = np.random.default_rng(6).normal(100, 1.3, (1, 10))
    found = within(values, ["1"])
    assert found.rms == pytest.approx(100 * values.std(ddof=1) / values.mean())
    assert found.rms_interval == RESAMPLER.cov(values[0])
    assert found.rms_interval is not None


def test_nothing_repeated() -> None:
    assert within_subjects(np.array([[1.0, NAN], [NAN, 2.0]]), ["1", "2"], RESAMPLER) is None


def test_a_subject_whose_mean_is_not_positive_has_no_coefficient() -> None:
    found = within(np.array([[-1.0, 1.0], [5.0, 6.0]]), ["1", "2"])
    assert (found.rms, found.average) == (None, None)
    assert found.sd == pytest.approx(np.sqrt((2 + 0.5) / 2))


def different(rng: np.random.Generator, means: list[float], n: int, sd: float) -> np.ndarray:
    """Return cells of n different subjects in each group."""
    cells = np.full((n * len(means), len(means)), np.nan)
    for g, mean in enumerate(means):
        cells[g * n : (g + 1) * n, g] = rng.normal(mean, sd, n)
    return cells


def test_the_published_figure_is_the_coefficient_of_the_means() -> None:
    cells = np.array([[80.0, np.nan], [84.0, np.nan], [np.nan, 90.0], [np.nan, 94.0]])
    found = between(cells, False)
    assert (found.n_subjects, found.n_groups, found.mean) == (4, 2, 87.0)
    assert found.sd == pytest.approx(np.std([82, 92], ddof=1))
    # variance of a mean: 8 / 2
    assert found.net_sd == pytest.approx(np.sqrt(50 - 4))


def test_subjects_cancel_where_they_are_in_all_groups() -> None:
    rng = np.random.default_rng(2)
    net, raw = [], []
    for _ in range(300):
        subjects = rng.normal(100, 6, (6, 1))
        cells = subjects + np.array([-1.0, 0.0, 1.0]) + rng.normal(0, 1.5, (6, 3))
        found = between(cells, True, Resampler(0, 2))
        assert found.net_sd is not None
        net.append(found.net_sd**2)
        raw.append(found.sd**2)
    assert np.mean(raw) == pytest.approx(1 + 1.5**2 / 6, rel=0.12)
    assert np.mean(net) == pytest.approx(1.0, rel=0.12)


@pytest.mark.parametrize("crossed", [False, True])
def test_the_interval_of_the_net_spread_holds_its_level(crossed: bool) -> None:
    rng = np.random.default_rng(3)
    held = 0
    means = np.array([97.0, 100.0, 103.0])
    for seed in range(200):
        if crossed:
            cells = rng.normal(0, 6, (10, 1)) + means + rng.normal(0, 2, (10, 3))
        else:
            cells = different(rng, means.tolist(), 12, 4.0)
        found = between(cells, crossed, Resampler(seed, 300))
        assert found.net_interval is not None
        held += found.net_interval[0] <= 3.0 <= found.net_interval[1]
    assert held >= 178  # 95 % of 200 is 190, four SD of 3.1 below it


def test_a_subject_missing_in_a_group_of_crossed_data_is_left_out() -> None:
    cells = np.array([[80.0, 82.0], [90.0, 92.0], [100.0, np.nan]])
    found = between(cells, True)
    assert (found.n_subjects, found.mean) == (2, 86.0)


def test_one_subject_a_group_draws_groups_again() -> None:
    means = np.random.default_rng(4).normal(100, 2, 9)
    cells = np.full((9, 9), np.nan)
    np.fill_diagonal(cells, means)
    found = between(cells, False)
    assert found.net_sd is None
    assert found.net_interval is None
    assert found.interval is not None
    assert found.interval[0] < 100 * found.sd / found.mean < found.interval[1]


def test_one_group_is_nothing_to_compare() -> None:
    assert between_groups(np.array([[1.0], [2.0]]), is_crossed=False, resampler=RESAMPLER) is None
    lacking = np.array([[1.0, np.nan], [2.0, np.nan]])
    assert between_groups(lacking, is_crossed=False, resampler=RESAMPLER) is None
    assert between_groups(lacking, is_crossed=True, resampler=RESAMPLER) is None
