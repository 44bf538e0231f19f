"""No cord is as large as a wrong header makes it."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from sct_rootlets.errors import InputError
from sct_rootlets.image import Grid, LabelImage, load_cord, load_cord_share, require_cord_size, save
from tests.levels.bent_cord import turned


def cord(factor: float = 1.0, slices: int = 60) -> LabelImage:
    """Return an ellipse of 13 x 8 mm, `factor` times larger, in slices of 2 mm."""
    data = np.zeros((30, 32, slices), dtype=np.int32)
    i, j = np.ogrid[:30, :32]
    data[((i - 15) / 6.5) ** 2 + ((j - 15) / 4.0) ** 2 <= 1] = 1
    grid = Grid(data.shape, np.diag([factor, -factor, 2 * factor, 1.0]))
    return LabelImage(data, grid, None, "cord.nii.gz")


def test_a_cord_may_be_as_large_as_cords_are() -> None:
    require_cord_size(cord())
    stray = cord()
    stray.data[:, :, 3] = 1  # one slice through everything is no width
    require_cord_size(stray)
    require_cord_size(LabelImage(np.zeros((9, 9, 9), dtype=int), Grid((9, 9, 9), np.eye(4))))


@pytest.mark.parametrize("axes", list(permutations(range(3))))
def test_three_times_as_large_is_none(tmp_path: Path, axes: tuple[int, int, int]) -> None:
    wide = turned(cord(3.0), axes, (True, False, False))
    save(LabelImage(wide.data, wide.grid), tmp_path / "x.nii.gz")
    for load in (load_cord, load_cord_share):
        with pytest.raises(InputError, match=r"is 39 mm wide .*more than 25 mm"):
            load(tmp_path / "x.nii.gz")
    long = turned(cord(1.0, 301), axes, (False, True, True))
    with pytest.raises(InputError, match=r"is 602 mm long.*more than 600 mm"):
        require_cord_size(long)
