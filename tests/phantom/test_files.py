"""A phantom as files: whole, readable, and its truth survives the way to the disk."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import load_image, load_labels
from sct_rootlets.phantom import make_grid, random_anatomy, read_truth, true_levels, write

SMALL = (20.0, 50.0, 60.0)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("phantom")
    return write(folder, 21, spacing_mm=(1.5, 1.5, 1.5), field_of_view_mm=SMALL)


def test_all_files_are_there_on_one_grid(files: dict[str, Path]) -> None:
    image = load_image(files["image"])
    for name in ("cord", "csf", "rootlets", "parts"):
        assert load_labels(files[name]).grid.matches(image.grid)
    assert sorted(path.name for path in files["image"].parent.iterdir()) == sorted(
        path.name for path in files.values()
    )


def test_truth_survives_the_file(files: dict[str, Path]) -> None:
    written, made = read_truth(files["truth"]), true_levels(random_anatomy(21))
    assert [row.level for row in written.rows] == [row.level for row in made.rows]
    for definition in ("caudal", "extent"):
        first, second = written.borders_world(definition), made.borders_world(definition)
        for level, borders in first.items():
            np.testing.assert_allclose(borders, second[level], atol=1e-3)


def test_discs_carry_their_labels_where_the_anatomy_has_them(files: dict[str, Path]) -> None:
    anatomy, discs = random_anatomy(21), load_labels(files["discs"])
    assert discs.labels
    for label in discs.labels:
        tip = discs.points_world(label)[0]
        on_cord = anatomy.xyz_world[np.argmin(np.abs(anatomy.s_mm - anatomy.discs_mm[label]))]
        assert abs(tip[2] - on_cord[2]) < 4
        assert tip[1] > on_cord[1], "discs lie ventral of the cord"


def test_labels_are_small_integers(files: dict[str, Path]) -> None:
    assert nib.load(files["rootlets"]).get_data_dtype() == np.uint8


def test_other_table_is_no_truth(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("a\tb\n1\t2\n")
    with pytest.raises(InputError, match="truth table"):
        read_truth(path)


@pytest.mark.parametrize(
    ("spacing", "letters", "said"),
    [
        ((0, 1, 1), "RPI", "spacing"),
        *[((1, 1, 1), letters, "orientation") for letters in ("RPX", "RRI", "RP", "RPIS")],
    ],
)
def test_a_grid_that_is_none(spacing: tuple[int, ...], letters: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_grid(random_anatomy(1), spacing, orientation_sct=letters)


def test_grids_of_all_orientations_cover_the_same_space() -> None:
    anatomy = random_anatomy(1)
    first = make_grid(anatomy, (1, 2, 3))
    for letters in ("LAS", "AIL", "SRP", "ILA"):
        other = make_grid(anatomy, (1, 2, 3), orientation_sct=letters)
        assert other.orientation_sct == letters
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in other.shape])).reshape(3, -1).T
        assert first.contains(other.world_from_ijk(corners)).all()
        assert np.prod(first.shape) == np.prod(other.shape)
