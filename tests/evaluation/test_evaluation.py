"""Evaluations of files whose errors are known, and what they write."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets import evaluation
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.evaluation.columns import (
    BORDERS,
    CALIBRATION,
    EMPTY_CASES,
    FIGURES,
    IMAGES,
    METRICS,
    SUMMARY,
)
from sct_rootlets.metrics import LevelAgreement, compare
from tests.evaluation.planted import SPACING, Planted, plant

Row = dict[str, str]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted"))


def table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def measure(planted: Planted, *names: str, cord: bool = False) -> evaluation.Evaluation:
    folder = planted.folder
    return evaluation.evaluate(
        [folder / f"{name}.nii.gz" for name in names],
        [folder / "truth.nii.gz"] * len(names),
        cords=[folder / "cord.nii.gz"] * len(names) if cord else None,
    )


def rows_of(result: evaluation.PairResult) -> dict[str, LevelAgreement]:
    return {"all" if row.level is None else str(row.level): row for row in result.agreement}


# --- planted errors ---------------------------------------------------------------------


def test_the_same_is_perfect(planted: Planted) -> None:
    (result,) = measure(planted, "same", cord=True).results
    for row in result.agreement:
        assert row.dice == row.f1_slice == row.nsd_1vox == row.nsd_1mm == 1
        assert row.assd_mm == row.hd95_mm == row.centre_distance_mm == 0
    assert result.slices is not None
    assert (result.slices.wrong, result.slices.partly) == (0, 0)
    assert result.level_accuracy == 1
    counts = result.confusion
    np.testing.assert_array_equal(counts, np.diag(np.diag(counts)))
    assert counts.sum() == planted.labels.size
    errors = result.border_errors_mm("rostral", "caudal", "midpoint")
    assert len(errors) > 5
    np.testing.assert_allclose(errors, 0, atol=1e-9)


def test_a_shift_is_found_in_mm(planted: Planted) -> None:
    """By two voxels of 1.5 mm: as far apart are the centres and the borders, with their sign."""
    (result,) = measure(planted, "shifted", cord=True).results
    for row in result.agreement:
        assert row.centre_distance_mm == pytest.approx(2 * SPACING[2], rel=1e-5)
        assert 0 < row.assd_mm < 2 * SPACING[2]
    slices = int((planted.labels == 4).any(axis=(0, 1)).sum())
    assert rows_of(result)["C4"].f1_slice == pytest.approx((slices - 2) / slices)
    errors = result.border_errors_mm("midpoint")
    assert len(errors)
    np.testing.assert_allclose(errors, 2 * SPACING[2], atol=0.1)


def test_swapped_names_are_in_the_confusion_and_the_slices(planted: Planted) -> None:
    (result,) = measure(planted, "swapped").results
    assert result.values == (3, 4, 5, 6)
    n4, n5 = (int((planted.labels == value).sum()) for value in (4, 5))
    assert result.confusion[2, 3] == n4
    assert result.confusion[3, 2] == n5
    assert result.confusion[2, 2] == result.confusion[3, 3] == 0
    in_slices = [(planted.labels == value).any(axis=(0, 1)) for value in (4, 5)]
    assert result.slices is not None
    both = int((in_slices[0] & in_slices[1]).sum())
    assert result.slices.wrong == sum(int(one.sum()) for one in in_slices) - 2 * both
    assert rows_of(result)["all"].dice == 1
    assert result.level_accuracy == pytest.approx(1 - (n4 + n5) / (planted.labels > 0).sum())


def test_a_missing_level_is_missed_by_name(planted: Planted, tmp_path: Path) -> None:
    found = measure(planted, "missing", "same", cord=True)
    files = found.write(tmp_path / "m.tsv")
    images = table(files["images"])
    assert [row["levels_missed"] for row in images] == ["C5", "none"]
    assert [row["levels_invented"] for row in images] == ["none", "none"]
    summary = {(row["level"], row["metric"]): row for row in table(files["summary"])}
    assert summary["C5", "dice"]["mean"] == "0.5"
    assert (summary["C5", "dice"]["n"], summary["C5", "dice"]["n_missed"]) == ("2", "1")
    assert (summary["C5", "assd_mm"]["n"], summary["C5", "assd_mm"]["mean"]) == ("1", "0")
    lost = [row for row in table(files["borders"]) if row["image"] == "missing"]
    assert {row["found_status"] for row in lost if row["level"] == "C5"} != {"measured"}


def test_one_level_that_moved_leaves_the_others(planted: Planted) -> None:
    (result,) = measure(planted, "moved").results
    rows = rows_of(result)
    assert rows["C5"].centre_distance_mm == pytest.approx(2 * SPACING[2], rel=1e-5)
    assert rows["C3"].dice == rows["C4"].dice == 1
    assert 0 < rows["C5"].dice < 1


# --- what is compared -------------------------------------------------------------------


def test_another_orientation_of_the_grid_is_the_same_grid(planted: Planted) -> None:
    folder = planted.folder
    straight = evaluation.evaluate_pair(folder / "shifted.nii.gz", folder / "truth.nii.gz")
    lying = evaluation.evaluate_pair(folder / "shifted.nii.gz", folder / "turned.nii.gz")
    for one, other in zip(straight.agreement, lying.agreement, strict=True):
        for name in FIGURES:
            assert getattr(one, name) == pytest.approx(getattr(other, name)), name
    assert straight.slices == lying.slices


def test_another_grid_is_an_error(planted: Planted) -> None:
    folder = planted.folder
    with pytest.raises(InputError, match="is not on the grid of"):
        evaluation.evaluate_pair(folder / "cropped.nii.gz", folder / "truth.nii.gz")


def test_rootlets_without_names_are_compared_as_one_structure(planted: Planted) -> None:
    (result,) = measure(planted, "nameless", cord=True).results
    assert [row.level for row in result.agreement] == [None]
    assert result.whole.dice == 1
    assert result.slices is None
    assert result.borders == ()
    assert any("no level identity" in remark for remark in result.remarks)
    assert any("no borders" in remark for remark in result.remarks)


def test_empty_sides_have_the_documented_values(planted: Planted) -> None:
    folder = planted.folder
    sides = {"truth": folder / "truth.nii.gz", "nothing": folder / "nothing.nii.gz"}
    pairs = [("nothing", "truth"), ("truth", "nothing"), ("nothing", "nothing")]
    for (case, wanted), (found, truth) in zip(EMPTY_CASES.items(), pairs, strict=True):
        result = evaluation.evaluate_pair(sides[found], sides[truth])
        assert len(result.agreement) == (1 if found == truth else 5), case
        for row in result.agreement:
            for name, value in wanted.items():
                is_unknown = np.isnan(getattr(row, name))
                assert is_unknown if value is None else getattr(row, name) == value, (case, name)


def test_an_empty_prediction_misses_every_border(planted: Planted, tmp_path: Path) -> None:
    found = measure(planted, "nothing", cord=True)
    row = table(found.write(tmp_path / "m.tsv")["images"])[0]
    assert row["border_error_mm"] == "n/a"
    # The caudal ends of C3 to C6; the rostral end of C3 is an estimate, with nothing above it.
    assert row["borders_missing"] == "4"


def test_a_value_beyond_s5_is_no_level(planted: Planted) -> None:
    path = planted.write("beyond", np.where(planted.labels == 6, 31, planted.labels))
    with pytest.raises(InputError, match="holds the value 31"):
        evaluation.evaluate_pair(path, planted.folder / "truth.nii.gz")
    path.unlink()


def test_levels_that_were_not_annotated_can_be_left_out(planted: Planted) -> None:
    """C6 was found and is in the reference too; without it nothing is said of it."""
    folder = planted.folder
    files = (folder / "missing.nii.gz", folder / "truth.nii.gz")
    whole = evaluation.evaluate_pair(*files)
    part = evaluation.evaluate_pair(*files, only={SpinalLevel.C3, SpinalLevel.C5})
    assert [str(row.level) for row in part.agreement] == ["C3", "C5", "None"]
    assert str(part.agreement[:2]) == str((whole.agreement[0], whole.agreement[2]))  # with NaN
    n3, n5 = (int((planted.labels == value).sum()) for value in (3, 5))
    assert part.whole.recall == pytest.approx(n3 / (n3 + n5))
    assert part.confusion.sum() == planted.labels.size
    with pytest.raises(UsageError, match="no level identity"):
        evaluation.evaluate_pair(folder / "nameless.nii.gz", files[1], only={SpinalLevel.C3})


def test_probabilities_are_cut_and_calibrated(planted: Planted, tmp_path: Path) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    found = measure(planted, "soft", "same")
    soft, hard = found.results
    assert hard.calibration is None
    assert soft.whole.dice == 1
    assert soft.calibration is not None
    assert any("cut at 0.5" in remark for remark in soft.remarks)
    # Within 5 mm around the rootlets: 7, 6 and 4 voxels.
    truth = planted.labels > 0
    ijk = np.argwhere(truth)
    low, high = ijk.min(axis=0) - [7, 6, 4], ijk.max(axis=0) + np.array([8, 7, 5])
    box = tuple(slice(max(a, 0), b) for a, b in zip(low, high, strict=True))
    from sct_rootlets.image import load_share

    p = load_share(planted.folder / "soft.nii.gz").data[box].astype(float)
    assert soft.calibration.n_voxels == p.size < truth.size
    brier = sklearn.brier_score_loss(truth[box].ravel(), p.ravel())
    assert soft.calibration.brier == pytest.approx(brier)
    files = found.write(tmp_path / "m.tsv")
    bins = table(files["calibration"])
    assert [row["image"] for row in bins] == ["soft"] * 10
    assert sum(int(row["n_voxels"]) for row in bins) == p.size
    images = table(files["images"])
    assert float(images[0]["brier"]) == pytest.approx(brier, rel=1e-5)
    assert images[1]["brier"] == images[1]["ece"] == "n/a"


# --- borders from tables ----------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(planted: Planted) -> dict[str, Path]:
    """Derive tables of the reference and of the shifted one, along cords cut differently."""
    from sct_rootlets.pipeline import levels

    # Another rostral end: 0 mm lies elsewhere in the two tables.
    shorter = np.array(planted.cord)
    shorter[:, :, 92:] = 0
    cords = {"truth": planted.folder / "cord.nii.gz", "shifted": planted.write("short", shorter)}
    paths = {}
    for name, cord in cords.items():
        result = levels(planted.folder / f"{name}.nii.gz", cord)
        result.write(planted.folder / f"{name}_levels.nii.gz")
        paths[name] = planted.folder / f"{name}_levels.tsv"
    return paths


@pytest.mark.parametrize("cord", [False, True])
def test_tables_are_compared_on_one_curve(
    planted: Planted, tables: dict[str, Path], cord: bool
) -> None:
    folder = planted.folder
    result = evaluation.evaluate_pair(
        folder / "shifted.nii.gz",
        folder / "truth.nii.gz",
        tables=(tables["shifted"], tables["truth"]),
        cord=folder / "cord.nii.gz" if cord else None,
    )
    errors = result.border_errors_mm("midpoint")
    assert len(errors) >= 2
    np.testing.assert_allclose(errors, 2 * SPACING[2], atol=0.15)
    if not cord:  # the curve starts at the first border of the reference
        assert min(row.truth_mm for row in result.borders) == pytest.approx(0, abs=1e-6)


def test_tables_of_different_definitions_are_refused(
    planted: Planted, tables: dict[str, Path], tmp_path: Path
) -> None:
    content = json.loads(tables["shifted"].with_suffix(".json").read_text())
    assert content["definition"] == "caudal"
    (tmp_path / "other.json").write_text(json.dumps({**content, "definition": "extent"}))
    (tmp_path / "other.tsv").write_text(tables["shifted"].read_text())
    with pytest.raises(UsageError, match="definition"):
        evaluation.evaluate_pair(
            planted.folder / "shifted.nii.gz",
            planted.folder / "truth.nii.gz",
            tables=(tmp_path / "other.tsv", tables["truth"]),
        )


def test_what_is_no_table_is_refused(planted: Planted, tables: dict[str, Path]) -> None:
    pair = (planted.folder / "shifted.nii.gz", planted.folder / "truth.nii.gz")
    with pytest.raises(InputError, match="no table of text"):
        evaluation.evaluate_pair(*pair, tables=(pair[0], tables["truth"]))
    text = planted.folder / "text.tsv"
    text.write_text("a\tb\n1\t2\n")
    with pytest.raises(InputError, match="no table of levels"):
        evaluation.evaluate_pair(*pair, tables=(text, tables["truth"]))
    text.unlink()


# --- several, and what is written -------------------------------------------------------


def test_a_broken_pair_does_not_lose_the_others(planted: Planted) -> None:
    found = measure(planted, "same", "cropped", "shifted")
    assert [result.name for result in found.results] == ["same", "shifted"]
    ((name, error),) = found.failures
    assert name == "cropped"
    assert isinstance(error, InputError)


def test_numbers_that_differ_are_of_the_command_line(planted: Planted) -> None:
    path = planted.folder / "same.nii.gz"
    with pytest.raises(UsageError, match="-ref has 1 and -i has 2 files"):
        evaluation.evaluate([path, path], [path])
    with pytest.raises(UsageError, match="-s has 2 and -i has 1 files"):
        evaluation.evaluate([path], [path], cords=[path, path])
    with pytest.raises(UsageError, match="one side only"):
        evaluation.evaluate([path], [path], tables=[path])


def test_the_tables_have_their_columns_and_the_json_all_of_them(
    planted: Planted, tmp_path: Path
) -> None:
    found = measure(planted, "same", "shifted", "soft", cord=True)
    files = found.write(tmp_path / "m.tsv")
    assert set(files) == {
        "metrics", "summary", "images", "confusion", "borders", "calibration", "json", "figure",
    }  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in files.values()}
    wanted = {
        "metrics": METRICS,
        "summary": SUMMARY,
        "images": IMAGES,
        "borders": BORDERS,
        "calibration": CALIBRATION,
    }
    content = json.loads(files["json"].read_text())
    for what, columns in wanted.items():
        header = files[what].read_text().splitlines()[0].split("\t")
        assert header == [column.name for column in columns]
        described = content if what == "metrics" else content["Tables"][files[what].name]
        assert all(described[name]["Description"] for name in header)
    assert " ".join(column.name for column in METRICS) == (
        "image level dice f1_slice precision recall hd95_mm assd_mm nsd_1vox nsd_1mm "
        "centre_distance_mm n_pred n_ref"
    )
    assert content["assd_mm"]["Units"] == "mm"
    assert len(content["SourceSHA256"]) == 5
    rows = table(files["metrics"])
    levels = ["C3", "C4", "C5", "C6", "all"]
    assert [row["level"] for row in rows] == [*levels, *levels, "all"]


def test_the_confusion_of_several_is_their_sum(planted: Planted, tmp_path: Path) -> None:
    files = measure(planted, "same", "swapped").write(tmp_path / "m.tsv")
    rows = table(files["confusion"])
    assert list(rows[0]) == ["image", "reference", "none", "C3", "C4", "C5", "C6"]
    by_image = {
        name: np.array(
            [[int(row[c]) for c in list(row)[2:]] for row in rows if row["image"] == name]
        )
        for name in ("same", "swapped", "all")
    }
    np.testing.assert_array_equal(by_image["all"], by_image["same"] + by_image["swapped"])
    assert by_image["all"].sum() == 2 * planted.labels.size


def test_the_summary_is_that_of_the_table(planted: Planted, tmp_path: Path) -> None:
    files = measure(planted, "same", "shifted", "moved").write(tmp_path / "m.tsv")
    rows, summary = table(files["metrics"]), table(files["summary"])
    cells = {(row["level"], row["metric"]): row for row in summary}
    for level in ("C5", "all", "levels"):
        values = [
            float(row["dice"])
            for row in rows
            if (row["level"] == level if level != "levels" else row["level"] != "all")
        ]
        cell = cells[level, "dice"]
        assert int(cell["n"]) == len(values)
        assert float(cell["mean"]) == pytest.approx(np.mean(values), rel=1e-4)
        assert float(cell["sd"]) == pytest.approx(np.std(values, ddof=1), rel=1e-4)
        assert float(cell["median"]) == pytest.approx(np.median(values), rel=1e-4)
    text = evaluation.format_summary(measure(planted, "same", "shifted").summary)
    assert [line.split()[0] for line in text.splitlines()] == [
        "level", "C3", "C4", "C5", "C6", "levels", "all",
    ]  # fmt: skip
    assert "missed" not in text


def test_names_tell_files_of_one_name_apart(planted: Planted, tmp_path: Path) -> None:
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "pred.nii.gz")
        paths[-1].write_bytes((planted.folder / "same.nii.gz").read_bytes())
    found = evaluation.evaluate(paths, [planted.folder / "truth.nii.gz"] * 2)
    assert [result.name for result in found.results] == ["a/pred", "b/pred"]


def test_nothing_of_anybody_else_is_replaced(planted: Planted, tmp_path: Path) -> None:
    found = measure(planted, "same")
    (tmp_path / "m_images.tsv").write_text("of somebody\n")
    with pytest.raises(UsageError, match="no evaluation"):
        found.write(tmp_path / "m.tsv")
    assert {path.name for path in tmp_path.iterdir()} == {"m_images.tsv"}
    with pytest.raises(UsageError, match=r"does not end in \.tsv"):
        found.write(tmp_path / "m.csv")
    with pytest.raises(UsageError, match="is an input"):
        evaluation.check_target(tmp_path / "m.tsv", [tmp_path / "m_borders.tsv"])


def test_a_second_run_leaves_nothing_of_the_first(planted: Planted, tmp_path: Path) -> None:
    first = measure(planted, "same", cord=True).write(tmp_path / "m.tsv")
    assert first["borders"].exists()
    second = measure(planted, "shifted").write(tmp_path / "m.tsv")
    assert "borders" not in second
    assert not first["borders"].exists()
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in second.values()}


def test_without_matplotlib_there_is_no_figure(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sct_rootlets.evaluation.batch.has_matplotlib", lambda: False)
    assert "figure" not in measure(planted, "same").write(tmp_path / "m.tsv")


# --- real data --------------------------------------------------------------------------


def test_the_official_prediction_against_itself_shifted(shared_data: Path, tmp_path: Path) -> None:
    """On a sagittal image (PSR) the slices are those along the third anatomical axis."""
    from sct_rootlets.image import load_labels, save

    path = shared_data / "subject_t2" / "t2_seg-deepseg_rootlets.nii.gz"
    labels = load_labels(path)
    axis = labels.grid.orientation_nib.index("S") if "S" in labels.grid.orientation_nib else None
    if axis is None:
        axis = labels.grid.orientation_nib.index("I")
    shifted = labels.with_data(np.roll(labels.data, 1, axis=axis))
    save(shifted, tmp_path / "shifted.nii.gz")
    result = evaluation.evaluate_pair(tmp_path / "shifted.nii.gz", path)
    counted = compare(shifted.data, labels.data, labels.grid)
    assert result.agreement == counted
    for row in counted[:-1]:
        assert row.centre_distance_mm == pytest.approx(float(labels.grid.spacing_mm[axis]))
        assert row.f1_slice > row.dice
