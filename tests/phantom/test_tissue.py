"""The frame of the cord: there and back."""

from __future__ import annotations

import numpy as np

from sct_rootlets.phantom import Anatomy
from sct_rootlets.phantom.tissue import cord_coordinates


def test_cord_coordinates_undo_the_way_into_the_world(anatomies: list[Anatomy]) -> None:
    rng = np.random.default_rng(0)
    for anatomy in anatomies:
        suv = np.stack(
            [rng.uniform(-20, 200, 500), rng.uniform(-12, 12, 500), rng.uniform(-12, 12, 500)], 1
        )
        world = anatomy.world_from_suv(suv).astype(np.float32)
        back = np.stack(cord_coordinates(anatomy, world), axis=1)
        # Half a step of the table, where the cord bends most, at 12 mm from its axis.
        np.testing.assert_allclose(back, suv, atol=0.15)
