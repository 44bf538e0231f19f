"""Levels from real rootlets: the PAM50 template and one subject."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.image import Grid, LabelImage, load_labels
from sct_rootlets.inputs import LandmarkImages
from sct_rootlets.levels import derive
from tests.levels.bent_cord import accuracy, nameless

#: Caudal ends of PAM50's entry zones less the C2/C3 disc, mm, by voxels: C3 to T1.
PAM50_CAUDAL_MM = np.array([-0.3, 14.7, 29.7, 46.2, 61.7, 78.7, 93.7])


def _load(folder: Path, *names: str) -> list[LabelImage]:
    return [load_labels(folder / f"{name}.nii.gz") for name in names]


def _only(discs: LabelImage, *labels: int) -> LabelImage:
    return discs.with_data(np.where(np.isin(discs.data, labels), discs.data, 0))


@pytest.mark.parametrize("labels", [tuple(range(2, 12)), (3,), (5,), (7,)], ids=str)
def test_pam50_small_is_numbered(shared_data: Path, labels: tuple[int, ...]) -> None:
    names = ("rootlets", "cord", "label_disc")
    rootlets, cord, discs = _load(shared_data / "pam50_small", *[f"PAM50_small_{n}" for n in names])
    derived = derive(nameless(rootlets), cord, LandmarkImages(_only(discs, *labels)))
    assert accuracy(derived.rootlets, rootlets) > 0.99


@pytest.mark.parametrize("labels", [(3, 4, 5), (3,)], ids=str)
def test_the_subject_is_numbered(shared_data: Path, labels: tuple[int, ...]) -> None:
    names = ("t2_seg-deepseg_rootlets", "t2_seg-manual", "discs")
    rootlets, cord, discs = _load(shared_data / "subject_t2", *names)
    derived = derive(nameless(rootlets), cord, LandmarkImages(_only(discs, *labels)))
    assert accuracy(derived.rootlets, rootlets) > 0.95  # the study reached 0.86


def test_pam50_has_its_known_levels(shared_data: Path) -> None:
    names = ("rootlets", "cord", "label_discPosterior")
    images = _load(shared_data / "pam50", *[f"PAM50_{name}" for name in names])
    rootlets, cord, discs = (_lower(image, 600) for image in images)
    derived = derive(rootlets, cord)
    origin = derived.centerline.project(discs.points_world(3)).s_mm[0]
    found = [row.caudal_mm - origin for row in derived.table.rows if row.level.value >= 3]
    assert np.abs(np.array(found) - PAM50_CAUDAL_MM).max() < 1.5


def _lower(image: LabelImage, first: int) -> LabelImage:
    """Return the slices from `first` upwards."""
    affine = image.grid.affine.copy()
    affine[:3, 3] += first * affine[:3, 2]
    data = image.data[:, :, first:]
    return LabelImage(data, Grid(data.shape, affine), None, image.path)
