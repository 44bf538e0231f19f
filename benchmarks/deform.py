"""Anatomies bent and resized beyond what :func:`random_anatomy` draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sct_rootlets.phantom import Anatomy
from sct_rootlets.phantom.model import STEP_MM, Filament

__all__ = ["bent", "resized"]


def bent(anatomy: Anatomy, degrees: float) -> Anatomy:
    """Turn the ends of the cord by `degrees` about the left-right axis, smoothly."""
    if degrees == 0:
        return anatomy
    s, xyz = anatomy.s_mm, anatomy.xyz_world
    steps = np.gradient(xyz, s, axis=0)
    turn = -np.deg2rad(degrees) * np.sin(np.pi * np.clip((s - 95.0) / 180.0, -0.5, 0.5))
    cos, sin = np.cos(turn), np.sin(turn)
    tangent = np.stack(
        [
            steps[:, 0],
            cos * steps[:, 1] - sin * steps[:, 2],
            sin * steps[:, 1] + cos * steps[:, 2],
        ],
        axis=1,
    )
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    path = np.concatenate([np.zeros((1, 3)), np.cumsum((tangent[1:] + tangent[:-1]) / 2, axis=0)])
    path *= STEP_MM
    middle = int(np.argmin(np.abs(s - 95.0)))
    return replace(anatomy, xyz_world=path - path[middle] + xyz[middle])


def resized(anatomy: Anatomy, factor: float) -> Anatomy:
    """Multiply all lengths of the anatomy; the samples along the cord stay `STEP_MM` apart."""
    if factor == 1:
        return anatomy
    s = anatomy.s_mm
    # Beyond the old ends the axis goes on straight, far from what is rendered.
    tangent = np.gradient(anatomy.xyz_world, s, axis=0)
    at = np.clip(s / factor, s[0], s[-1])
    beyond = (s / factor - at)[:, None]
    xyz = np.stack([np.interp(at, s, c) for c in anatomy.xyz_world.T], axis=1)
    xyz = factor * (xyz + beyond * np.stack([np.interp(at, s, c) for c in tangent.T], axis=1))
    widths = {
        name: factor * np.interp(at, s, getattr(anatomy, name))
        for name in ("cord_lr_mm", "cord_ap_mm", "sac_lr_mm", "sac_ap_mm", "sac_offset_mm")
    }

    def thread(filament: Filament) -> Filament:
        return replace(
            filament, points_suv=filament.points_suv * factor, depth_mm=filament.depth_mm * factor
        )

    return replace(
        anatomy,
        xyz_world=xyz,
        **widths,
        discs_mm={n: factor * mm for n, mm in anatomy.discs_mm.items()},
        filaments=tuple(thread(f) for f in anatomy.filaments),
        sleeves=tuple(thread(f) for f in anatomy.sleeves),
    )
