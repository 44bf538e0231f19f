"""Which JSON files apply to an image: beside it, and in folders above by the rules of BIDS."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.files.inheritance import sidecars_of


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    func = tmp_path / "study" / "sub-1" / "ses-a" / "func"
    func.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "study")
    return func


def put(*names: str) -> None:
    for name in names:
        Path(name).write_text("{}")


def found(image: str) -> list[str]:
    return [file.relative_to(Path.cwd()).as_posix() for file in sidecars_of(image)]


def test_the_nearest_and_most_particular_file_goes_first(study: Path) -> None:
    own = "sub-1/ses-a/func/sub-1_ses-a_task-rest_run-2_bold"
    inherited = (
        "sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.json",
        "sub-1/ses-a/sub-1_ses-a_bold.json",
        "sub-1/sub-1_task-rest_bold.json",
        "task-rest_run-2_bold.json",
        "task-rest_bold.json",
        "bold.json",
    )
    put(f"{own}.json", *inherited)
    assert found(f"{own}.nii.gz") == [f"{own}.json", *inherited]


def test_what_is_of_others_does_not_apply(study: Path) -> None:
    put(
        "task-motor_bold.json",
        "task-rest_echo-1_bold.json",
        "task-rest_sbref.json",
        "dataset_description.json",
        "../task-rest_bold.json",
        "sub-1/sub-2_task-rest_bold.json",
        "sub-1/anat_bold.json",
    )
    assert found("sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.nii.gz") == []


def test_another_name_has_only_the_file_beside_it(study: Path) -> None:
    put("fmri.json", "sub-1/ses-a/func/fmri.json", "bold.json")
    assert found("sub-1/ses-a/func/fmri.nii.gz") == ["sub-1/ses-a/func/fmri.json"]
    assert found("fmri_moco.nii") == []


def test_a_name_of_bids_outside_of_a_dataset_looks_into_its_own_folder_only(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("task-rest_bold.json")
    Path("flat").mkdir()
    monkeypatch.chdir("flat")
    put("sub-1_bold.json")
    assert found("sub-1_task-rest_bold.nii.gz") == ["sub-1_bold.json"]
