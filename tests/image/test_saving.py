"""Images as they are written."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from sct_rootlets.image import load_mask, save
from tests.synthetic import save_array

SHAPE = (5, 6, 7)


def test_one_volume_in_four_dimensions_is_three_dimensional(tmp_path: Path) -> None:
    data = np.zeros((*SHAPE, 1), np.uint8)
    data[2, 2, 2] = 1
    mask = load_mask(save_array(tmp_path / "x.nii.gz", data, np.eye(4)))
    assert mask.data.shape == SHAPE
    save(mask, tmp_path / "y.nii.gz")
    assert nib.load(tmp_path / "y.nii.gz").shape == SHAPE
