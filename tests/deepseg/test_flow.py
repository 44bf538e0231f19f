"""What a task writes, and what a failure leaves of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets import pipeline
from sct_rootlets.deepseg import Made, QualityControl, Request, flow, run
from sct_rootlets.deepseg import cord as cords
from sct_rootlets.errors import InputError, RootletsError, UsageError
from sct_rootlets.image import load_labels
from sct_rootlets.inputs import Landmarks
from sct_rootlets.levels import LevelOptions
from sct_rootlets.levels.table.text import to_tsv
from sct_rootlets.pipeline import Settings, network
from sct_rootlets.postprocess import Sizes, Steps
from sct_rootlets.sct.missing_inputs import MadeInputs
from tests.cli.listing import level_names, names
from tests.pipeline.knowing_engine import Knowing
from tests.synthetic import Neck, save_array

pytestmark = pytest.mark.usefixtures("no_figures", "paths")

OURS = {"t2_rootlets.nii.gz", "t2_rootlets.json"}


def do(task: str, *images: str, **options: Any) -> list[Made]:
    """Run a task, and raise what befell any image."""
    request = Request(task, tuple(Path(image) for image in images or ("t2.nii.gz",)), **options)
    return [outcome.result() for outcome in run(request, say=lambda text: None)]


def sidecar(path: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return content


def test_rootlets_are_written_alone_and_their_sidecar_has_scts_fields_and_ours(
    neck: Neck, knowing: Knowing, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowing(cord=True)  # this model predicts the cord as well
    before = names()
    address = "https://example.org/model.zip"
    monkeypatch.setattr(flow, "model_url", lambda model, manifest: address)
    command = "sct_rootlets deepseg rootlets -i t2.nii.gz"
    (made,) = do("rootlets", command=command, settings=Settings("cpu", mirror=True))
    assert names() - before == OURS
    assert made.files == {"rootlets": Path("t2_rootlets.nii.gz")}
    np.testing.assert_array_equal(load_labels("t2_rootlets.nii.gz").data, neck.rootlets.data)
    content = sidecar("t2_rootlets.json")
    (maker,) = content["GeneratedBy"]
    assert {"Name", "Version", "CodeURL", "ModelURL"} <= set(maker)
    assert maker["Name"] == f"sct_rootlets: {command}"
    assert maker["ModelURL"] == address
    assert maker["Model"]["SHA256"] == "cd" * 32
    assert maker["Parameters"]["mirror"] is True
    assert maker["Parameters"]["postprocessing"]["remove_small"] is None
    assert content["Labels"] == {"3": "C3", "4": "C4", "5": "C5", "6": "C6"}


def test_each_of_several_has_its_output_beside_it_and_a_broken_one_stops_no_other(
    paths: dict[str, Path], knowing: Knowing
) -> None:
    knowing()
    whole = paths["t2"].read_bytes()
    for folder, content in (("a", whole), ("b", whole), ("c", whole[:4000])):
        Path(folder).mkdir()
        Path(folder, "t2.nii.gz").write_bytes(content)
    images = [Path(folder, "t2.nii.gz") for folder in ("c", "a", "missing", ".", "b")]
    outcomes = {o.item: o for o in run(Request("rootlets", tuple(images)), say=lambda text: None)}
    assert list(map(isinstance, (outcomes[image].error for image in images), [InputError] * 5)) == [
        *(True, False, True, False, False)
    ]
    for place in ("a", ".", "b"):
        assert names(place) >= OURS
    assert names("c") == {"t2.nii.gz"}
    assert sidecar("b/t2_rootlets.json")["Sources"] == ["t2.nii.gz"]


@pytest.mark.parametrize("kind", ["4D", "cut", "missing"])
@pytest.mark.parametrize("task", ["rootlets", "rootlets_levels"])
def test_an_image_that_cannot_be_used_fails_before_the_model_and_leaves_nothing(
    task: str, kind: str, neck: Neck, paths: dict[str, Path], no_model: None
) -> None:
    bad = Path("bad.nii.gz")
    if kind == "4D":
        save_array(bad, np.stack([neck.image.data] * 2, axis=-1), np.eye(4))
    elif kind == "cut":
        whole = paths["t2"].read_bytes()
        bad.write_bytes(whole[: len(whole) // 2])
    before = names()
    with pytest.raises(InputError, match=r"bad\.nii\.gz"):
        do(task, "bad.nii.gz", output="new/folder/out.nii.gz")
    if kind != "cut":  # which only the voxels say, and of several those come later
        with pytest.raises(InputError, match="none of the images"):
            do(task, "bad.nii.gz", "missing_too.nii.gz")
    assert names() == before


@pytest.mark.parametrize("codes", [(1, 2), (2, 1), (0, 4), (1, 0), (3, 3)])
def test_qform_and_sform_survive_as_they_are(
    codes: tuple[int, int], neck: Neck, knowing: Knowing
) -> None:
    knowing()
    affine = neck.image.grid.affine
    other = affine.copy()
    other[:3, 3] += (3.5, -2.25, 7)
    nifti = nib.Nifti1Image(neck.image.data, affine)
    nifti.set_qform(affine, code=codes[0])
    nifti.set_sform(other, code=codes[1])
    nib.save(nifti, "t2.nii.gz")
    do("rootlets")
    given, made = (nib.load(f"t2{end}.nii.gz").header for end in ("", "_rootlets"))
    fields = ["qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "pixdim"]
    fields += [f"quatern_{axis}" for axis in "bcd"] + [f"qoffset_{axis}" for axis in "xyz"]
    for field in fields:
        np.testing.assert_array_equal(made[field], given[field], err_msg=field)


def test_post_processing_is_applied_said_and_can_be_undone(neck: Neck, knowing: Knowing) -> None:
    knowing()
    steps = Steps(remove_small=Sizes((10.0, 1e6, 10.0, 10.0), "vox"))
    do("rootlets", steps=steps, keep_intermediate=True)
    assert load_labels("t2_rootlets.nii.gz").labels == [3, 5, 6]
    said = sidecar("t2_rootlets.json")["GeneratedBy"][0]["Parameters"]["postprocessing"]
    assert said["remove_small"] == "10 1e+06 10 10vox"
    raw = load_labels("t2_rootlets-predicted.nii.gz")
    np.testing.assert_array_equal(raw.data, neck.rootlets.data)


def test_a_threshold_leaves_a_mask_without_levels(knowing: Knowing) -> None:
    knowing()
    (made,) = do("rootlets", steps=Steps(threshold=0.5))
    assert load_labels("t2_rootlets.nii.gz").labels == [1]
    assert not made.predicted.numbered
    assert sidecar("t2_rootlets.json")["Labels"] == {"1": "rootlet"}


def test_outputs_and_landmarks_are_checked_before_the_model(
    paths: dict[str, Path], no_model: None
) -> None:
    before = paths["t2"].read_bytes()
    with pytest.raises(UsageError, match="is an input"):
        do("rootlets", output="t2.nii.gz")
    with pytest.raises(UsageError, match="is an input"):
        do("rootlets_levels", cords=(paths["cord"],), output="cord.nii.gz")
    with pytest.raises(UsageError, match="holds no disc label"):
        do("rootlets_levels", landmarks=Landmarks(paths["cord"]))
    assert paths["t2"].read_bytes() == before


def test_levels_with_a_given_cord_mask(
    paths: dict[str, Path], knowing: Knowing, figures: None
) -> None:
    knowing()
    before = names()
    (made,) = do("rootlets_levels", cords=(paths["cord"],))
    assert names() - before == OURS | level_names("t2_spinal_levels")
    assert made.failures == ()
    assert made.levels is not None
    assert made.levels.image is made.predicted.image
    assert load_labels("t2_spinal_levels.nii.gz").labels == [3, 4, 5, 6]
    maker = sidecar("t2_spinal_levels.json")["GeneratedBy"][0]
    assert maker["Model"]["Name"] == "knowing"
    assert maker["Parameters"]["cord"] == "cord.nii.gz"


def test_levels_are_those_of_run(neck: Neck, paths: dict[str, Path], knowing: Knowing) -> None:
    knowing(cord=True)
    landmarks, options = Landmarks(paths["discs"]), LevelOptions("extent")
    (made,) = do("rootlets_levels", landmarks=landmarks, level_options=options)
    whole = pipeline.run(
        "t2.nii.gz", landmarks=landmarks, options=options, model=made.predicted.model
    )
    assert made.levels is not None
    assert to_tsv(made.levels.derived.table) == to_tsv(whole.derived.table)
    np.testing.assert_array_equal(made.levels.derived.levels.data, whole.derived.levels.data)


def test_the_output_name_is_also_that_of_the_levels(knowing: Knowing) -> None:
    knowing(cord=True)
    do("rootlets_levels", output="out/X")
    stems = {"X.nii.gz", "X.json", "X_spinal_levels.nii.gz", "X_spinal_levels.tsv"}
    assert stems | {"t2_seg.nii.gz", "t2_seg.json"} <= names("out")
    assert not {name for name in names() if "rootlets." in name} - {"rootlets.nii.gz"}


def test_the_cord_mask_that_was_predicted_is_kept_and_used_again(knowing: Knowing) -> None:
    knowing(cord=True)
    (first,) = do("rootlets_levels")
    assert first.files["cord"] == Path("t2_seg.nii.gz")
    assert sidecar("t2_seg.json")["GeneratedBy"][0]["Model"]["Name"] == "knowing"
    (second,) = do("rootlets_levels")
    assert "cord" not in second.files
    assert sidecar("t2_spinal_levels.json")["Sources"] == ["t2.nii.gz", "t2_seg.nii.gz"]


def test_what_does_not_go_with_the_model_is_refused_before_it_is_loaded(
    paths: dict[str, Path], knowing: Knowing, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowing()
    monkeypatch.setattr(network, "load_engine", lambda *a, **k: pytest.fail("loaded"))
    with pytest.raises(UsageError, match="2 values, and the number of classes is 4"):
        do("rootlets", steps=Steps(remove_small=Sizes((1.0, 2.0), "vox")))
    knowing(identity=False)
    monkeypatch.setattr(network, "load_engine", lambda *a, **k: pytest.fail("loaded"))
    with pytest.raises(UsageError, match="-discs"):
        do("rootlets_levels", cords=(paths["cord"],))


def test_discs_number_the_rootlets_that_are_written(
    neck: Neck, paths: dict[str, Path], knowing: Knowing
) -> None:
    knowing(identity=False)
    do("rootlets_levels", cords=(paths["cord"],), landmarks=Landmarks(paths["discs"]))
    np.testing.assert_array_equal(load_labels("t2_rootlets.nii.gz").data, neck.rootlets.data)
    assert sidecar("t2_rootlets.json")["Labels"]["3"] == "C3"


def test_levels_that_fail_do_not_lose_the_rootlets(neck: Neck, knowing: Knowing) -> None:
    knowing()
    data = np.zeros((4, 4, 4), np.uint8)
    data[1:3, 1:3, 1:3] = 1
    nib.save(nib.Nifti1Image(data, np.eye(4)), "t2_seg.nii.gz")  # of another image
    before = names()
    (made,) = do("rootlets_levels")
    (failure,) = made.failures
    assert failure.what == "the levels"
    assert isinstance(failure.error, RootletsError)
    assert names() - before == OURS
    np.testing.assert_array_equal(load_labels("t2_rootlets.nii.gz").data, neck.rootlets.data)


def test_quality_control_of_levels_and_of_rootlets_alone(
    paths: dict[str, Path], knowing: Knowing, figures: None
) -> None:
    knowing()
    do("rootlets_levels", cords=(paths["cord"],), qc=QualityControl(Path("qc")))
    assert names("qc") == {"t2_spinal_levels.png", "t2_spinal_levels.html"}
    (made,) = do("rootlets", qc=QualityControl(Path("alone")))
    assert names("alone") == {"t2_rootlets.html"}
    assert made.files["qc_report"] == Path("alone/t2_rootlets.html")
    assert "knowing 1.0" in Path("alone/t2_rootlets.html").read_text()


def test_without_rootlets_the_image_is_empty_and_levels_fail(
    neck: Neck, paths: dict[str, Path], knowing: Knowing
) -> None:
    engine = knowing()
    nothing = replace(neck.rootlets, data=np.zeros_like(neck.rootlets.data))
    engine.neck = replace(neck, rootlets=nothing)
    (made,) = do("rootlets_levels", cords=(paths["cord"],))
    assert "no rootlets" in str(made.failures[0].error)
    assert load_labels("t2_rootlets.nii.gz", allow_empty=True).labels == []


def test_a_cord_mask_made_by_sct_comes_before_a_predicted_one(
    paths: dict[str, Path], knowing: Knowing, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowing(cord=True)
    asked = []

    def made(image: Path, folder: Path, **options: Any) -> MadeInputs:
        asked.append((image, folder, options["wanted"]))
        return MadeInputs({"cord": paths["cord"]}, {"cord": "SCT 7.4: sct_deepseg spinalcord"})

    monkeypatch.setattr(cords, "make_missing", made)
    (found,) = do("rootlets_levels")
    assert asked == [(Path("t2.nii.gz"), Path(), ["cord"])]
    assert "cord" not in found.files
    parameters = sidecar("t2_spinal_levels.json")["GeneratedBy"][0]["Parameters"]
    assert parameters["cord_from"] == "SCT 7.4: sct_deepseg spinalcord"
    assert not Path("t2_seg.nii.gz").exists()
