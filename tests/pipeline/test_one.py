"""One image through the pipeline, with an engine that knows the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.files.guards import Planned
from sct_rootlets.files.names import run_files
from sct_rootlets.files.results import ResultSet
from sct_rootlets.image import load_labels
from sct_rootlets.levels import LevelTable
from sct_rootlets.levels.table.reading import read_levels_table
from sct_rootlets.pipeline import Landmarks, LevelOptions, run, segment
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import Neck

_STEMS = {"rootlets": "rootlets", "cord": "seg", "levels": "spinal_levels"}


def measured(table: LevelTable) -> dict[str, tuple[float, float]]:
    return {
        row.level.name: (row.rostral_mm, row.caudal_mm)
        for row in table.rows
        if row.status == "measured"
    }


def test_levels_come_out_where_the_rootlets_are(
    neck: Neck, tmp_path: Path, knowing: Knowing
) -> None:
    knowing()
    paths = neck.write(tmp_path)
    result = run(paths["image"], options=LevelOptions("extent"))
    found = measured(result.derived.table)
    assert list(found) == ["C3", "C4", "C5", "C6"]
    # Entry zones start at 20, 36, 52 and 66 mm; within 1.5 mm they descend by as much.
    np.testing.assert_allclose([r for r, _ in found.values()], [20, 36, 52, 66], atol=1.6)
    np.testing.assert_allclose([c for _, c in found.values()], [31.5, 47.5, 62.5, 76.5], atol=1.6)
    assert result.predicted.cord_is_ours
    assert result.stem == "t2"
    assert set(result.predicted.timings_s) == {
        "loading the model",
        "prediction",
        "deriving the levels",
    }


def test_discs_number_rootlets_without_identity(neck: Neck, knowing: Knowing) -> None:
    knowing(identity=False)
    result = run(neck.image, landmarks=Landmarks(neck.discs))
    np.testing.assert_array_equal(result.rootlets.data, neck.rootlets.data)
    by_point = run(neck.image, landmarks=Landmarks(c2c3_world=(0.0, 9.0, 65.5)))
    assert measured(by_point.derived.table).keys() == {"C3", "C4", "C5", "C6"}


def test_a_given_cord_mask_is_used_and_not_written(
    neck: Neck, tmp_path: Path, knowing: Knowing
) -> None:
    engine = knowing()
    paths = neck.write(tmp_path / "in")
    result = run(paths["image"], cord=paths["cord"])
    assert engine.given_cord is result.cord
    assert not result.predicted.cord_is_ours
    files = result.write(tmp_path / "out")
    assert "cord" not in files
    assert not (tmp_path / "out" / "t2_seg.nii.gz").exists()


def test_what_is_written(neck: Neck, tmp_path: Path, knowing: Knowing) -> None:
    knowing()
    paths = neck.write(tmp_path / "in")
    before = {path: path.read_bytes() for path in paths.values()}
    result = run(paths["image"], landmarks=Landmarks(paths["discs"]))
    files = result.write(tmp_path / "out" / "new")
    levels = load_labels(files["levels"])
    assert levels.grid.matches(neck.image.grid)
    assert set(levels.labels) == {3, 4, 5, 6}
    assert (levels.data[neck.cord.data == 0] == 0).all()
    np.testing.assert_array_equal(load_labels(files["rootlets"]).data, neck.rootlets.data)
    table = read_levels_table(files["table"])
    assert measured(table).keys() == measured(result.derived.table).keys()
    for what in ("rootlets", "cord", "levels"):
        content = json.loads((files[what].parent / f"t2_{_STEMS[what]}.json").read_text())
        maker = content["GeneratedBy"][0]
        assert maker["Name"] == "sct_rootlets"
        assert maker["Model"] == {
            "Name": "knowing",
            "Version": "1.0",
            "SHA256": "cd" * 32,
            "Checkpoints": ["fold_all/a.pth"],
        }
        assert content["Sources"] == ["../../in/t2.nii.gz", "../../in/discs.nii.gz"]
    assert {path: path.read_bytes() for path in paths.values()} == before
    result.write(tmp_path / "out" / "new")  # a second time: results of ours may be replaced


def test_intermediate_files_on_request(neck: Neck, tmp_path: Path, knowing: Knowing) -> None:
    knowing(identity=False)
    result = run(neck.image, landmarks=Landmarks(neck.discs))
    files = result.write(tmp_path, keep_intermediate=True)
    assert load_labels(files["predicted"]).labels == [1]
    rows = np.loadtxt(files["centerline"], skiprows=1)
    np.testing.assert_allclose(rows[:, 0], result.derived.centerline.s_mm, atol=1e-3)


def test_an_error_while_writing_leaves_nothing(
    neck: Neck, tmp_path: Path, knowing: Knowing
) -> None:
    knowing()
    result = run(neck.image)
    levels = replace(result.of_levels, parameters={"reach_mm": float("nan")})  # JSON refuses it
    broken = replace(result, of_levels=levels)
    with pytest.raises(ValueError, match="JSON"):
        broken.write(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_conflicts_with_files_are_found_before_the_model_is_loaded(
    neck: Neck, tmp_path: Path, no_engine: Callable[..., None]
) -> None:
    no_engine()
    (tmp_path / "image_seg.nii.gz").write_text("a manual mask")
    with pytest.raises(UsageError, match="was not made by sct_rootlets"):
        run(neck.image, write_to=Planned(run_files("image", tmp_path)))
    paths = neck.write(tmp_path)
    discs = paths["discs"].rename(tmp_path / "t2_rootlets.nii.gz")
    before = discs.read_bytes()
    planned = Planned(run_files("t2", tmp_path))
    with pytest.raises(UsageError, match=r"t2_rootlets\.nii\.gz: is an input"):
        run(paths["image"], landmarks=Landmarks(discs), write_to=planned)
    assert discs.read_bytes() == before


def test_no_rootlets_is_an_answer_one_can_read(neck: Neck, knowing: Knowing) -> None:
    engine = knowing()
    empty = neck.rootlets.with_data(np.zeros_like(neck.rootlets.data))
    engine.neck = replace(neck, rootlets=empty)
    with pytest.raises(InputError, match="no rootlets were found"):
        run(neck.image)


def test_remarks_about_every_input_are_notes_of_a_segmentation(
    neck: Neck, tmp_path: Path, knowing: Knowing
) -> None:
    knowing()
    image, cord = (
        replace(x, remarks=(f"about the {x.path}",))
        for x in (replace(neck.image, path="image"), replace(neck.cord, path="cord"))
    )
    predicted = segment(image, cord=cord)
    files = predicted.write({"rootlets": tmp_path / "r.nii.gz"})
    notes = json.loads((tmp_path / "r.json").read_text())["Notes"]
    assert notes == ["about the image", "about the cord", "a note of the engine"]
    assert files == {"rootlets": tmp_path / "r.nii.gz"}


def test_the_quality_control_is_whole(
    neck: Neck, tmp_path: Path, knowing: Knowing, figures: None
) -> None:
    knowing()
    result = run(neck.image)
    with ResultSet() as outputs:
        files = result.stage_qc(outputs, tmp_path / "qc")
    assert files["figure"].read_bytes().startswith(b"\x89PNG")
    assert files["report"].name == "image_spinal_levels.html"
    page = files["report"].read_text()
    assert "knowing 1.0" in page
    assert "cd" * 32 in page
    assert "a note of the engine" in page
    assert "http://" not in page  # nothing is fetched from anywhere
    assert "https://" not in page


def test_the_quality_control_of_rootlets_alone(
    neck: Neck,
    tmp_path: Path,
    knowing: Knowing,
    real_figures: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sct_rootlets.qc.mosaic._FINE", 0.5)  # three are drawn
    knowing(identity=False, cord=False)
    predicted = segment(neck.image)
    assert predicted.cord is None
    with ResultSet() as outputs:
        files = predicted.stage_qc(outputs, tmp_path / "qc", "t2_rootlets")
    assert files == {"report": tmp_path / "qc" / "t2_rootlets.html"}
    page = files["report"].read_text()
    assert "knowing 1.0" in page
    assert "a note of the engine" in page
    assert page.count("data:image/png;base64,") == 2
    assert predicted.mosaic().background != predicted.mosaic(left_on_left=True).background


def test_inputs_are_checked_before_the_model_is_loaded(
    neck: Neck, no_engine: Callable[..., None]
) -> None:
    """Which inputs are refused, and how, is tested where they are read."""
    no_engine(cord=False)
    with pytest.raises(UsageError, match="-s"):
        run(neck.image)
    no_engine(identity=False)
    with pytest.raises(UsageError, match="-discs"):
        run(neck.image)
    mask = neck.image.with_data((neck.cord.data > 0).astype(np.float32))
    with pytest.raises(InputError, match="mask or labels"):
        run(mask, landmarks=Landmarks(neck.discs))
    outside = Landmarks(c2c3_world=(0.0, 9.0, 650.0))
    with pytest.raises(UsageError, match="outside the field of view"):
        run(neck.image, landmarks=outside)
    with pytest.raises(UsageError, match="has one volume"):
        run(neck.image, volume=2)
