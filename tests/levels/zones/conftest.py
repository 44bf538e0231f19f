"""A bent cord of three levels, and the grids it is stored on."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.image import LabelImage
from tests.levels.bent_cord import BentCord, rotation

Pair = tuple[LabelImage, LabelImage]

CORD = BentCord(zones={4: (6.0, 15.0), 5: (22.3, 30.6), 6: (37.4, 46.0)})
#: Spacing, mm, axes, and how far an end may be off, mm.
GRIDS = {
    "0.6 mm": ((0.6, 0.6, 0.6), np.eye(3), 0.9),
    "1 mm": ((1.0, 1.0, 1.0), np.eye(3), 1.4),
    "1x1x2 mm": ((1.0, 1.0, 2.0), np.eye(3), 1.8),
    "0.5x0.5x3 mm": ((0.5, 0.5, 3.0), np.eye(3), 1.3),
    "sagittal 2 mm": ((2.0, 0.8, 0.8), np.eye(3), 2.0),
    "oblique": ((1.0, 1.0, 1.0), rotation(0, 30) @ rotation(2, 15), 1.7),
}


@pytest.fixture(scope="session")
def pair() -> Pair:
    return CORD.render(CORD.grid((1.0, 1.0, 1.0)))
