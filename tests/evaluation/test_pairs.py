"""A prediction and its reference, read onto one grid."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets import evaluation
from sct_rootlets.errors import InputError
from tests.evaluation.planted import Planted


def test_another_grid_is_an_error(planted: Planted) -> None:
    folder = planted.folder
    with pytest.raises(InputError, match="is not on the grid of"):
        evaluation.evaluate_pair(folder / "cropped.nii.gz", folder / "truth.nii.gz")


def test_a_value_beyond_s5_is_no_level(planted: Planted) -> None:
    path = planted.write("beyond", np.where(planted.labels == 6, 31, planted.labels))
    with pytest.raises(InputError, match="holds the value 31"):
        evaluation.evaluate_pair(path, planted.folder / "truth.nii.gz")
    path.unlink()
