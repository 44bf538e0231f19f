"""Sidecars say what made a file, and files of others are told from ours."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from sct_rootlets import __version__
from sct_rootlets.files.sidecar import names_us, sidecar, sidecar_path, split_nifti, to_json

MODEL = SimpleNamespace(
    name="compact", version="1.2", sha256="ab" * 32, checkpoints=("fold_0/a.pth",)
)


def test_it_names_software_model_sources_and_grid(tmp_path: Path) -> None:
    content = sidecar(
        beside=tmp_path / "out",
        sources=[tmp_path / "in" / "t2.nii.gz"],
        description="Rootlets.",
        model=MODEL,
        parameters={"reach_mm": 1.5},
        extra={"Labels": {"2": "C2"}},
    )
    assert content["GeneratedBy"] == [
        {
            "Name": "sct_rootlets",
            "Version": __version__,
            "Model": {
                "Name": "compact",
                "Version": "1.2",
                "SHA256": "ab" * 32,
                "Checkpoints": ["fold_0/a.pth"],
            },
            "Parameters": {"reach_mm": 1.5},
        }
    ]
    assert content["Sources"] == ["../in/t2.nii.gz"]
    assert content["SpatialReference"] == "orig"
    assert content["Labels"] == {"2": "C2"}
    assert json.loads(to_json(content)) == content


def test_a_byte_of_a_name_that_is_no_utf8_can_be_written_and_read() -> None:
    text = to_json({"Sources": ["é\udcff.nii.gz"]})
    assert json.loads(text.encode("utf-8")) == {"Sources": ["é\udcff.nii.gz"]}


def test_nan_does_not_become_invalid_json() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"reach_mm": float("nan")})


@pytest.mark.parametrize(
    ("name", "stem", "extension"),
    [
        ("t2.nii.gz", "t2", ".nii.gz"),
        ("sub-1_T2w.nii", "sub-1_T2w", ".nii"),
        ("T2.NII.GZ", "T2", ".NII.GZ"),
        ("a.b.nii.gz", "a.b", ".nii.gz"),
        (".nii.gz", ".nii.gz", ""),
    ],
)
def test_splitting(name: str, stem: str, extension: str) -> None:
    assert split_nifti(Path("x") / name) == (Path("x"), stem, extension)
    if extension:
        assert sidecar_path(Path("x") / name) == Path("x") / f"{stem}.json"


@pytest.mark.parametrize(
    "makers",
    [
        None,
        "sct_rootlets",
        ["sct_rootlets", {"Name": 1}],
        [{"Name": "spinalcordtoolbox: sct_deepseg spinalcord"}],
    ],
)
def test_sidecars_of_others_do_not_name_us(makers: object) -> None:
    assert not names_us({"GeneratedBy": makers})
    assert not names_us({})


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("sct_rootlets", True),
        ("sct_rootlets: sct_rootlets deepseg rootlets -i t2.nii.gz", True),
        ("sct_rootlets_of_others: x", False),
    ],
)
def test_ours_name_us(name: str, ours: bool, tmp_path: Path) -> None:
    content = sidecar(beside=tmp_path, sources=[], description="R.", maker={"Name": name})
    assert names_us(content) == ours


def test_a_table_has_no_grid(tmp_path: Path) -> None:
    described = {"beside": tmp_path, "sources": [], "description": "T."}
    assert sidecar(**described)["SpatialReference"] == "orig"
    assert "SpatialReference" not in sidecar(**described, spatial_reference=None)
