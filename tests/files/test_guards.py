"""What results may replace, and what they must never replace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.files.guards import Planned, require_apart, require_free
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar, sidecar_path


def write(*images: Path) -> None:
    """Write images, each with a sidecar that lists it."""
    about = sidecar(beside="", sources=[], description="Predicted.")
    with ResultSet() as outputs:
        for image in images:
            outputs.write(image, "predicted")
            outputs.record(sidecar_path(image), about, [image])


def test_new_files_and_our_own_earlier_ones_are_free(tmp_path: Path) -> None:
    levels = tmp_path / "t2_spinal_levels.nii.gz"
    write(levels)
    require_free([levels, tmp_path / "new" / "t2.nii.gz"])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["t2.nii.gz", "t2.json"])
def test_an_input_is_never_an_output_nor_its_sidecar(name: str, tmp_path: Path) -> None:
    given = tmp_path / name
    given.write_text("given")
    with pytest.raises(UsageError, match=rf"{name}: is an input"):
        require_free([tmp_path / "t2.nii.gz"], [given], overwrite=True)


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_an_input_by_another_name_is_still_the_input(
    make: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    image, other = tmp_path / "t2.nii.gz", tmp_path / "other.nii.gz"
    image.write_text("image")
    make(image, other)
    with pytest.raises(UsageError, match=r"other\.nii\.gz: is an input"):
        require_free([other], [os.path.relpath(image)], overwrite=True)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("t2_seg.nii.gz", r"Use .* -s .*t2_seg\.nii\.gz, choose"), ("t2.tsv", "Ch")],
)
def test_one_file_of_somebody_else_is_kept(name: str, remedy: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("hours of manual work")
    with pytest.raises(UsageError, match=rf"was not made by.* replaced\. {remedy}.* -overwrite 1"):
        require_free([path])
    require_free([path], overwrite=True)


def test_all_files_that_are_kept_are_named_with_the_reason(tmp_path: Path) -> None:
    images = [tmp_path / f"{name}.nii.gz" for name in ("edited", "foreign", "ours")]
    write(images[0], images[2])
    images[0].write_text("corrected")
    images[1].write_text("official")
    sidecar_path(images[1]).write_text("{}")
    with pytest.raises(UsageError) as caught:
        require_free(images)
    assert caught.value.problem == (
        "3 files are there that would be replaced: "
        f"{images[0]} was changed since sct_rootlets wrote it; "
        f"{images[1]} was not made by sct_rootlets; "
        f"{sidecar_path(images[1])} was not made by sct_rootlets"
    )
    many = [tmp_path / f"{k}.tsv" for k in range(30)]
    for path in many:
        path.write_text("")
    with pytest.raises(UsageError, match=r"30 files .*19\.tsv was not.*; and 10 more\. Choose"):
        require_free(many)


@pytest.mark.parametrize(("first", "second"), [("a.tsv", "b/../a.tsv"), ("a.nii.gz", "a.nii")])
def test_two_outputs_are_two_files(first: str, second: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.\w+: would be written twice"):
        require_free([tmp_path / first, tmp_path / second])


def test_several_images_share_neither_an_output_nor_a_sidecar(tmp_path: Path) -> None:
    first, second = tmp_path / "a.nii.gz", tmp_path / "a.nii"
    require_apart([("1", [first]), ("2", [tmp_path / "b.nii"])])
    for other, clash in ((first, "a.nii.gz"), (second, "a.json")):
        with pytest.raises(UsageError, match=rf"{clash}: would be written for 1 and again for 2"):
            require_apart([("1", [first]), ("2", [other])])


def test_places_are_looked_at_and_tried_only_once_nothing_else_forbids_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    monkeypatch.setattr("sct_rootlets.files.guards.try_places", tried.extend)
    (tmp_path / "out").write_text("a file")
    with pytest.raises(RootletsError, match="is not a folder") as caught:
        require_free([tmp_path / "out" / "deep" / "t2.nii.gz"])
    assert caught.value.exit_status == 1
    with pytest.raises(UsageError):
        require_free([tmp_path / "out"])
    require_free([tmp_path / "new"], attempt=False)
    assert not tried
    require_free([tmp_path / "t2.nii.gz"])
    assert tried == [tmp_path / "t2.nii.gz", tmp_path / "t2.json"]


def test_of_what_is_planned_a_part_can_be_left_for_later(tmp_path: Path) -> None:
    cord, rootlets = tmp_path / "t2_seg.nii.gz", tmp_path / "t2_rootlets.nii.gz"
    cord.write_text("manual")
    planned = Planned({"cord": cord, "rootlets": rootlets})
    planned.without("cord").require_free()
    with pytest.raises(UsageError, match="t2_seg"):
        planned.require_free()
    with pytest.raises(UsageError, match="is an input"):
        planned.without("rootlets").require_free([cord])
    Planned(planned.files, overwrite=True).require_free()
    assert Planned(planned.files, overwrite=True).without("cord").overwrite
