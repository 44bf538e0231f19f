"""The bent cords and the bent neck of the tests of levels."""

from __future__ import annotations

import numpy as np
import pytest

from sct_rootlets.centerline import Centerline
from sct_rootlets.image import Grid
from tests.levels.bent_cord import CORD, WHOLE, Pair
from tests.levels.bent_neck import NECK


@pytest.fixture(scope="module")
def curve() -> Centerline:
    """Return the true curve through the cord, s = 0 at its rostral end."""
    s = np.linspace(0, NECK.length_mm, 241)
    return Centerline.from_points(NECK.world(s, np.zeros(241), np.zeros(241)))


@pytest.fixture(scope="module")
def grid() -> Grid:
    return NECK.grid((1.0, 1.0, 1.0))


@pytest.fixture(scope="session")
def pair() -> Pair:
    """Return the cord of three levels and its rootlets."""
    return CORD.render(CORD.grid((1.0, 1.0, 1.0)))


@pytest.fixture(scope="session")
def whole() -> Pair:
    return WHOLE.render(WHOLE.grid((1.0, 1.0, 1.0)))
