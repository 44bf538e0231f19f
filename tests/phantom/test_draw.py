"""What is drawn is an anatomy, and reproducible."""

from __future__ import annotations

import numpy as np

from sct_rootlets.anatomy import ROOTLET_LEVELS, Sector, Side
from sct_rootlets.phantom import Anatomy, random_anatomy


def test_same_seed_same_anatomy_other_seed_another() -> None:
    first, again, other = random_anatomy(3), random_anatomy(3), random_anatomy(4)
    np.testing.assert_array_equal(first.xyz_world, again.xyz_world)
    assert len(first.filaments) == len(again.filaments)
    for one, two in zip(first.filaments, again.filaments, strict=True):
        np.testing.assert_array_equal(one.points_suv, two.points_suv)
    assert np.abs(first.xyz_world - other.xyz_world).max() > 1


def test_every_level_has_four_fans_of_at_least_three_filaments(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        for level in ROOTLET_LEVELS:
            for side in Side:
                for sector in Sector:
                    fan = [
                        f
                        for f in anatomy.filaments
                        if (f.level, f.side, f.sector) == (level, side, sector)
                    ]
                    assert len(fan) >= 3
                    u = np.concatenate([f.points_suv[:, 1] for f in fan])
                    assert (u > 0).all() if side is Side.LEFT else (u < 0).all()


def test_ventral_rootlets_start_ventral_and_dorsal_ones_dorsal(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        for filament in anatomy.filaments:
            if filament.level is None:
                continue
            v_at_cord = filament.points_suv[0, 2]
            assert (v_at_cord > 0) == (filament.sector is Sector.DORSAL)
