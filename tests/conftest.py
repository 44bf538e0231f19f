"""Fixtures of the whole suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from sct_rootlets.image import Grid
from sct_rootlets.phantom import Anatomy, Phantom, make_grid, random_anatomy, render


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the repository; skip where there is none."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the repository")
    return folder


@pytest.fixture(scope="session")
def anatomy() -> Anatomy:
    """Return the anatomy of a seed that no network was trained on."""
    return random_anatomy(11)


@pytest.fixture(scope="session")
def phantom_grid(anatomy: Anatomy) -> Grid:
    """Return a grid of 1 mm around the cervical cord only, to keep the rendering short."""
    return make_grid(anatomy, (1.0, 1.0, 1.0), field_of_view_mm=(36.0, 72.0, 176.0))


@pytest.fixture(scope="session")
def phantom_small(anatomy: Anatomy, phantom_grid: Grid) -> Phantom:
    """Return that anatomy, scanned on that grid."""
    return render(anatomy, phantom_grid)
