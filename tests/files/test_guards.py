"""What results may replace, and what they must never replace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets.errors import RootletsError, UsageError
from sct_rootlets.files.guards import require_apart, require_free
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.sidecar import sidecar, sidecar_path, to_json
from tests.unprivileged import unprivileged


def test_new_files_and_our_own_earlier_ones_are_free(tmp_path: Path) -> None:
    levels = tmp_path / "t2_spinal_levels.nii.gz"
    levels.write_text("of an earlier run")
    require_free({"levels": levels, "rootlets": tmp_path / "new" / "t2.nii.gz"})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["t2.nii.gz", "t2.json"])
def test_an_input_is_never_an_output_nor_its_sidecar(name: str, tmp_path: Path) -> None:
    given = tmp_path / name
    given.write_text("given")
    with pytest.raises(UsageError, match=rf"{name}: is an input"):
        require_free({"rootlets": tmp_path / "t2.nii.gz"}, [given])


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_an_input_by_another_name_is_still_the_input(
    make: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    image, other = tmp_path / "t2.nii.gz", tmp_path / "other.nii.gz"
    image.write_text("image")
    make(image, other)
    with pytest.raises(UsageError, match=r"other\.nii\.gz: is an input"):
        require_free({"rootlets": other}, [os.path.relpath(image)])


@pytest.mark.parametrize(
    ("what", "keep", "remedy"),
    [("cord", ("cord",), r"-s .*t2\.nii\.gz"), ("levels", ("levels",), "Name another file")],
)
def test_an_image_of_somebody_else_is_kept_and_ours_replaced(
    what: str, keep: tuple[str, ...], remedy: str, tmp_path: Path
) -> None:
    image = tmp_path / "t2.nii.gz"
    image.write_text("hours of manual work")
    with pytest.raises(UsageError, match=f"sct_rootlets did not make, and .*{remedy}"):
        require_free({what: image}, keep=keep)
    require_free({what: image}, keep=())
    content = sidecar(beside=tmp_path, sources=[], description="Predicted.")
    sidecar_path(image).write_text(to_json(content))
    require_free({what: image}, keep=keep)


def test_a_sidecar_of_somebody_else_is_kept(tmp_path: Path) -> None:
    levels = tmp_path / "sub-1_T2w.nii.gz"
    sidecar_path(levels).write_text('{"EchoTime": 0.12}')
    with pytest.raises(UsageError, match=r"sub-1_T2w\.json: is a sidecar that"):
        require_free({"levels": levels})


def test_several_images_share_neither_an_output_nor_a_sidecar(tmp_path: Path) -> None:
    first, second = tmp_path / "a.nii.gz", tmp_path / "a.nii"
    require_apart([("1", [first]), ("2", [tmp_path / "b.nii"])])
    for other, clash in ((first, "a.nii.gz"), (second, "a.json")):
        with pytest.raises(UsageError, match=rf"{clash}: would be written for 1 and again for 2"):
            require_apart([("1", [first]), ("2", [other])])


def test_a_folder_or_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "t2.nii.gz").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        require_free({"levels": tmp_path / "t2.nii.gz"})
    (tmp_path / "out").write_text("a file")
    with pytest.raises(RootletsError, match="is not a folder") as caught:
        require_free({"levels": tmp_path / "out" / "deep" / "t2.nii.gz"})
    assert caught.value.exit_status == 1


@pytest.mark.parametrize(("mode", "below"), [(0o500, ""), (0o600, "deep"), (0, "deep")])
def test_a_folder_without_permission(mode: int, below: str, tmp_path: Path) -> None:
    (tmp_path / "out" / below).mkdir(parents=True)
    target = Path("out", below, "t2.nii.gz")
    with unprivileged(tmp_path):
        Path("out").chmod(mode)
        with pytest.raises(RootletsError, match=r"out: is not writable"):
            require_free({"levels": target})
        with pytest.raises(RootletsError, match="folder"), OutputSet() as outputs:
            outputs.write(target, "")
    (tmp_path / "out").chmod(0o700)
