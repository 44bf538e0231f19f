"""Look-ups of a result for the viewers, and the lines that open it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.export import VIEWERS, export
from sct_rootlets.files.sidecar import sidecar_path
from sct_rootlets.image import Image, LabelImage, save
from tests.synthetic import make_neck

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """Return levels of a synthetic neck with its rootlets and image beside, by their names."""
    from sct_rootlets.pipeline import levels

    neck = make_neck()
    for name, what in (("t2", "image"), ("t2_rootlets", "rootlets"), ("t2_seg", "cord")):
        save(getattr(neck, what), tmp_path / f"{name}.nii.gz")
    made = levels(tmp_path / "t2_rootlets.nii.gz", tmp_path / "t2_seg.nii.gz")
    return made.write(tmp_path / "t2_spinal_levels.nii.gz")["levels"]


def test_levels_and_their_rootlets_get_a_file_for_every_viewer_or_for_one(result: Path) -> None:
    made = export(result)
    assert {path.name for path in made.files} == {
        f"t2_{what}{ending}"
        for what in ("spinal_levels", "rootlets")
        for ending in (".lut", "_itksnap.txt", ".ctbl")
    }
    text = (result.parent / "t2_rootlets.lut").read_text()
    assert [line.split()[-1] for line in text.splitlines()] == ["C3", "C4", "C5", "C6"]
    # The same colour for a level in both.
    levels = (result.parent / "t2_spinal_levels.lut").read_text().splitlines()
    assert set(text.splitlines()) <= set(levels)
    made = export(result, ["slicer"], result.parent / "new")
    assert {path.parent for path in made.files} == {result.parent / "new"}
    assert set(made.commands) == {"slicer"}


def test_command_lines_name_image_labels_and_look_ups(result: Path) -> None:
    commands = export(result, image=None).commands
    folder = result.parent
    words = shlex.split(commands["fsleyes"][0])
    assert words[:2] == ["fsleyes", str(folder / "t2.nii.gz")]
    at = words.index(str(result))
    assert words[at + 1 : at + 5] == ["-ot", "label", "-l", str(folder / "t2_spinal_levels.lut")]
    words = shlex.split(commands["itksnap"][0])
    assert words[words.index("-l") + 1] == str(folder / "t2_spinal_levels_itksnap.txt")
    code = shlex.split(commands["slicer"][0])[2]
    compile(code, "slicer", "exec")
    assert json.dumps(str(folder / "t2_spinal_levels.ctbl")) in code


def test_rootlets_without_a_level_are_not_called_c1(result: Path) -> None:
    neck = make_neck()
    path = result.parent / "plain_rootlets.nii.gz"
    found = (np.asarray(neck.rootlets.data) > 0).astype(np.int32)
    save(LabelImage(found, neck.cord.grid), path)
    sidecar_path(path).write_text(json.dumps({"Labels": {"1": "rootlet"}}))
    export(path, ["fsleyes"])
    assert (result.parent / "plain_rootlets.lut").read_text().endswith("rootlets\n")


def test_regions_have_the_names_of_their_own_look_up(result: Path) -> None:
    path = result.parent / "bold_levels_regions_dseg.nii.gz"
    save(make_neck().rootlets, path)
    look_up = path.with_name("bold_levels_regions_dseg.tsv")
    rows = [f"{value}\tC{value}_left\tC{value}\tleft\t#0102{value:02d}" for value in range(3, 7)]
    look_up.write_text("\n".join(["index\tname\tlevel\tside\tcolor", *rows]) + "\n")
    export(path, ["slicer"])
    assert "5 C5_left 1 2 5 255" in (result.parent / "bold_levels_regions.ctbl").read_text()
    for text, problem in (
        ("index\tname\n3\tC3\n", "is no look-up: has no column color"),
        ("index\tname\tcolor\n3\tC3\t#01020\n", "line 2, column color: '#01020' is no colour"),
        ("index\tname\tcolor\nx\tC3\t#010203\n", "line 2, column index: 'x' is no number"),
        ("index\tname\tcolor\n3\t\t#010203\n", "line 2, column name: '' says nothing"),
        ("index\tname\tcolor\n3\tA\t#010203\n3\tB\t#010203\n", "line 3, column index: '3' st"),
    ):
        look_up.write_text(text)
        with pytest.raises(InputError, match=problem):
            export(path)


def test_a_table_beside_that_cannot_be_read_is_said(
    result: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = result.parent / "t2_spinal_levels.tsv"
    whole = table.read_text()
    table.write_text(whole.replace("measured", "mesured"))
    with pytest.raises(InputError, match=r"column status: 'mesured'.* remove or rename it"):
        export(result)
    table.write_text("participant_id\tage\n")
    assert len(export(result).files) == 3, "without the table nothing tells its rootlets"
    assert "t2_spinal_levels.tsv is no table of levels" in caplog.text


def test_what_cannot_be_exported(result: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no viewer"):
        export(result, ["mricron"])
    with pytest.raises(UsageError, match="no such file"):
        export(result, image=tmp_path / "nowhere.nii.gz")
    grey = make_neck().image
    save(Image(np.asarray(grey.data) + 0.5, grey.grid), tmp_path / "grey.nii.gz")
    with pytest.raises(InputError):
        export(tmp_path / "grey.nii.gz")
    assert len(VIEWERS) == 3
