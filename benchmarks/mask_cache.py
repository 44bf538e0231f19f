"""Rendered masks kept on disk, so that a method can be run on them many times."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.phantom_masks import Masks, Recipe, make
from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.image import Grid, LabelImage

__all__ = ["load_or_make"]

#: Changes when the files of an older version, or of another generator, must not be read.
VERSION = 3


def load_or_make(seed: int, folder: Path | None) -> Masks:
    """Return the masks of `seed`, from `folder` where it has them; keep them there if not."""
    path = None if folder is None else folder / f"masks-{seed:06d}-v{VERSION}.npz"
    if path is not None and path.exists():
        return _load(path)
    masks = make(seed)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _save(masks, path)
    return masks


def _save(masks: Masks, path: Path) -> None:
    arrays: dict[str, Any] = {}
    for name in ("rootlets", "cord"):
        flat = np.asarray(getattr(masks, name).data).ravel()
        at = np.flatnonzero(flat)
        arrays[f"{name}_at"] = at.astype(np.int32)
        arrays[f"{name}_is"] = flat[at].astype(np.uint8)
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(
        partial,
        shape=masks.cord.grid.shape,
        affine=masks.cord.grid.affine,
        axis_s_mm=masks.axis_s_mm,
        axis_world=masks.axis_world,
        discs=np.array([[n, *xyz] for n, xyz in masks.discs_world.items()]),
        extents=np.array([[lv.value, *mm] for lv, mm in masks.extents_mm.items()]),
        recipe=json.dumps(asdict(masks.recipe)),
        **arrays,
    )
    partial.replace(path)


def _load(path: Path) -> Masks:
    with np.load(path) as stored:
        i, j, k = (int(n) for n in stored["shape"])
        grid = Grid((i, j, k), stored["affine"])

        def image(name: str) -> LabelImage:
            data = np.zeros(i * j * k, np.int32)
            data[stored[f"{name}_at"]] = stored[f"{name}_is"]
            return LabelImage(data.reshape(i, j, k), grid, None, f"phantom {name}")

        return Masks(
            Recipe.from_json(json.loads(str(stored["recipe"]))),
            image("rootlets"),
            image("cord"),
            stored["axis_s_mm"],
            stored["axis_world"],
            {SpinalLevel(int(v)): (float(a), float(b)) for v, a, b in stored["extents"]},
            {int(row[0]): row[1:] for row in stored["discs"]},
        )
