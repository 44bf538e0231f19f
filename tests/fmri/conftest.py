"""Levels of a straight cord beside an EPI, as files."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.fmri import MappedLevels
from sct_rootlets.image import save
from sct_rootlets.levels.table.text import to_tsv
from tests.fmri.planted import Planted, plant
from tests.fmri.straight import BORDERS, levels_on, slices, table_of


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Write a short run with planted signals, for the tests of one module."""
    return plant(tmp_path_factory.mktemp("planted"), volumes=5)


@pytest.fixture(scope="module")
def mapped(planted: Planted) -> MappedLevels:
    """Return the levels on that run."""
    return planted.mapped()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write levels with their table, a 4D EPI of slices of 5 mm, and its cord mask."""
    save(levels_on(BORDERS), tmp_path / "levels.nii.gz")
    (tmp_path / "levels.tsv").write_text(to_tsv(table_of(BORDERS, sd_mm=(1.0, 1.0, 1.0))))
    epi = slices(5.0, 8, 15.0).grid
    nifti = nib.Nifti1Image(np.zeros((*epi.shape, 7), dtype=np.int16), epi.affine)
    nifti.header.set_zooms((1, 1, 5, 2.5))
    nifti.header["slice_duration"] = 0.1
    nifti.set_sform(epi.affine, 4)
    nib.save(nifti, tmp_path / "sub-1_task-rest_bold.nii.gz")
    mask = np.zeros(epi.shape, dtype=np.uint8)
    x, y = np.ogrid[-9.5:10, -9.5:10]
    mask[np.hypot(x, y) < 5] = 1
    nib.save(nib.Nifti1Image(mask, epi.affine), tmp_path / "mask.nii.gz")
    return tmp_path
