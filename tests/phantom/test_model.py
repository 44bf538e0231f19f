"""An anatomy as a curve with a frame."""

from __future__ import annotations

import numpy as np

from sct_rootlets.phantom import Anatomy


def test_s_is_arc_length(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        steps = np.linalg.norm(np.diff(anatomy.xyz_world, axis=0), axis=1)
        np.testing.assert_allclose(steps, np.diff(anatomy.s_mm), rtol=1e-4)


def test_frame_is_orthonormal_and_points_left_and_dorsally(anatomies: list[Anatomy]) -> None:
    for anatomy in anatomies:
        frame = np.stack(anatomy.frame(), axis=1)  # (M, 3, 3)
        products = frame @ np.moveaxis(frame, 1, 2)
        np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), products.shape), atol=1e-9)
        tangent, left, dorsal = np.moveaxis(frame, 1, 0)
        assert (tangent[:, 2] < 0).all(), "s grows caudally"
        assert (left[:, 0] < 0).all(), "x of RAS+ grows to the right"
        assert (dorsal[:, 1] < 0).all(), "y of RAS+ grows anteriorly"


def test_what_is_sampled_along_the_cord_is_found_at_its_place(anatomy: Anatomy) -> None:
    s = np.random.default_rng(4).uniform(anatomy.s_mm[0], anatomy.s_mm[-1], 50)
    step = anatomy.s_mm[1] - anatomy.s_mm[0]
    np.testing.assert_allclose(anatomy.at(anatomy.s_mm, s), s, atol=step / 2 + 1e-9)
    np.testing.assert_allclose(anatomy.at(anatomy.xyz_world, anatomy.s_mm), anatomy.xyz_world)
    beyond = np.array([anatomy.s_mm[0] - 9, anatomy.s_mm[-1] + 9])
    assert anatomy.nearest(beyond).tolist() == [0, len(anatomy.s_mm) - 1]
