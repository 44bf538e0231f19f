"""Results as rows of tables, and their figures over images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sct_rootlets import evaluation
from tests.evaluation.planted import Planted, cells, measure


def test_a_missing_level_is_missed_by_name(planted: Planted, tmp_path: Path) -> None:
    found = measure(planted, "missing", "same", cord=True)
    files = found.write(tmp_path / "m.tsv")
    images = cells(files["images"])
    assert [row["levels_missed"] for row in images] == ["C5", "none"]
    assert [row["levels_invented"] for row in images] == ["none", "none"]
    summary = {(row["level"], row["metric"]): row for row in cells(files["summary"])}
    assert summary["C5", "dice"]["mean"] == "0.5"
    assert (summary["C5", "dice"]["n"], summary["C5", "dice"]["n_missed"]) == ("2", "1")
    assert (summary["C5", "assd_mm"]["n"], summary["C5", "assd_mm"]["mean"]) == ("1", "0")
    lost = [row for row in cells(files["borders"]) if row["image"] == "missing"]
    assert {row["found_status"] for row in lost if row["level"] == "C5"} != {"measured"}


def test_an_empty_prediction_misses_every_border(planted: Planted, tmp_path: Path) -> None:
    found = measure(planted, "nothing", cord=True)
    row = cells(found.write(tmp_path / "m.tsv")["images"])[0]
    assert row["border_error_mm"] == "n/a"
    # The caudal ends of C3 to C6; the rostral end of C3 is an estimate, with nothing above it.
    assert row["borders_missing"] == "4"


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
    bins = cells(files["calibration"])
    assert [row["image"] for row in bins] == ["soft"] * 10
    assert sum(int(row["n_voxels"]) for row in bins) == p.size
    images = cells(files["images"])
    assert float(images[0]["brier"]) == pytest.approx(brier, rel=1e-5)
    assert images[1]["brier"] == images[1]["ece"] == "n/a"


def test_the_confusion_of_several_is_their_sum(planted: Planted, tmp_path: Path) -> None:
    files = measure(planted, "same", "swapped").write(tmp_path / "m.tsv")
    rows = cells(files["confusion"])
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
    rows, summary = cells(files["metrics"]), cells(files["summary"])
    by_key = {(row["level"], row["metric"]): row for row in summary}
    for level in ("C5", "all", "levels"):
        values = [
            float(row["dice"])
            for row in rows
            if (row["level"] == level if level != "levels" else row["level"] != "all")
        ]
        cell = by_key[level, "dice"]
        assert int(cell["n"]) == len(values)
        assert float(cell["mean"]) == pytest.approx(np.mean(values), rel=1e-4)
        assert float(cell["sd"]) == pytest.approx(np.std(values, ddof=1), rel=1e-4)
        assert float(cell["median"]) == pytest.approx(np.median(values), rel=1e-4)
    text = evaluation.format_summary(measure(planted, "same", "shifted").summary)
    assert [line.split()[0] for line in text.splitlines()] == [
        "level", "C3", "C4", "C5", "C6", "levels", "all",
    ]  # fmt: skip
    assert "missed" not in text
