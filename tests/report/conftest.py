"""A small batch of synthetic necks, written as the commands write them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.image import LabelImage, save
from sct_rootlets.inputs import Landmarks
from sct_rootlets.pipeline import levels
from sct_rootlets.report import Summary, build
from tests.plain import plain_figures
from tests.synthetic import Neck, make_neck


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_result(folder: Path, neck: Neck, stem: str = "t2") -> Path:
    """Write one result of `levels`; return its table."""
    folder.mkdir(parents=True)
    paths = {
        "image": folder / f"{stem}.nii.gz",
        "rootlets": folder / f"{stem}_rootlets.nii.gz",
        "cord": folder / f"{stem}_seg.nii.gz",
        "discs": folder / f"{stem}_discs.nii.gz",
    }
    for what, path in paths.items():
        save(getattr(neck, what), path)
    made = levels(paths["rootlets"], paths["cord"], landmarks=Landmarks(paths["discs"]))
    return made.write(folder / f"{stem}_spinal_levels.nii.gz")["table"]


def relabelled(neck: Neck, old: int, new: int) -> Neck:
    """Return a neck whose rootlets of one value have another."""
    data = np.array(neck.rootlets.data)
    data[data == old] = new
    return replace(neck, rootlets=LabelImage(data, neck.rootlets.grid))


@pytest.fixture(scope="session")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of five results: two as they should be, a gap, no image, a broken one."""
    pytest.importorskip("matplotlib")
    top = tmp_path_factory.mktemp("batch")
    neck = make_neck()
    with pytest.MonkeyPatch.context() as patch:
        plain_figures(patch)
        write_result(top / "sub-a", neck, "sub-a_T2w")
        write_result(top / "sub-gap", relabelled(neck, 5, 0), "sub-gap_T2w")
    for name in ("sub-b", "sub-lost", "sub-broken"):
        shutil.copytree(top / "sub-a", top / name)
        for path in (top / name).iterdir():
            moved = path.with_name(path.name.replace("sub-a", name))
            path.rename(moved)
            if moved.suffix in (".json", ".tsv"):
                moved.write_text(moved.read_text().replace("sub-a", name))
    (top / "sub-lost" / "sub-lost_T2w_seg.nii.gz").unlink()
    table = top / "sub-broken" / "sub-broken_T2w_spinal_levels.tsv"
    table.write_bytes(table.read_bytes()[:300])
    (top / "sub-a" / "notes.tsv").write_text("subject\tage\n1\t40\n")
    return top


@pytest.fixture(scope="session")
def page(batch: Path, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """Return the report of that batch."""
    return build([batch], tmp_path_factory.mktemp("page") / "report.html", jobs=1)
