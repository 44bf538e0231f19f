"""Several predictions, and what is written of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sct_rootlets import evaluation
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.evaluation.columns import BORDERS, CALIBRATION, IMAGES, METRICS, SUMMARY
from tests.evaluation.planted import Planted, cells, measure


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
    with pytest.raises(UsageError, match="twice with the same reference"):
        evaluation.evaluate([path, path.parent / "." / path.name], [path, path])


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
    rows = cells(files["metrics"])
    levels = ["C3", "C4", "C5", "C6", "all"]
    assert [row["level"] for row in rows] == [*levels, *levels, "all"]


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
    with pytest.raises(UsageError, match="was not made by sct_rootlets"):
        found.write(tmp_path / "m.tsv")
    assert {path.name for path in tmp_path.iterdir()} == {"m_images.tsv"}
    with pytest.raises(UsageError, match=r"does not end in \.tsv"):
        found.write(tmp_path / "m.csv")
    with pytest.raises(UsageError, match="is an input"):
        replace(found, sources=(str(tmp_path / "m_images.tsv"),)).write(tmp_path / "m.tsv")
    found.write(tmp_path / "m.tsv", overwrite=True)
    assert "of somebody" not in (tmp_path / "m_images.tsv").read_text()


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
