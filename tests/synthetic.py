"""A small synthetic neck: a cord, rootlets of known levels, discs, and an image of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from sct_rootlets.image import Grid, Image, LabelImage, save

#: Entry zones, mm below the top of the volume, of C3 = 3 to C6 = 6.
ZONES_MM = {3: (20.0, 30.0), 4: (36.0, 46.0), 5: (52.0, 61.0), 6: (66.0, 75.0)}
#: Disc labels and where they are: C2/C3 to C5/C6, about 9 mm below the entry zones.
DISCS_MM = {3: 34.0, 4: 50.0, 5: 66.0, 6: 82.0}

RAS_1MM = np.diag([1.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Neck:
    """The images of one synthetic neck, all on one grid."""

    image: Image
    cord: LabelImage
    rootlets: LabelImage
    discs: LabelImage

    def write(self, folder: Path) -> dict[str, Path]:
        """Write all images into `folder`; return their paths by name."""
        folder.mkdir(parents=True, exist_ok=True)
        names = {"image": "t2", "cord": "cord", "rootlets": "rootlets", "discs": "discs"}
        paths = {what: folder / f"{name}.nii.gz" for what, name in names.items()}
        for what, path in paths.items():
            save(getattr(self, what), path)
        return paths


def make_neck(seed: int = 0) -> Neck:
    """Make a straight cord of 4 mm radius along z, 100 mm long, in a 33x33x100 mm volume.

    World coordinates are RAS+ mm; the top of the volume, z = 99.5 mm, is s = 0.
    """
    shape = (33, 33, 100)
    affine = RAS_1MM.copy()
    affine[:3, 3] = (-16, -16, 0)
    grid = Grid(shape, affine)
    x, y, z = np.moveaxis(grid.world_from_ijk(np.indices(shape).reshape(3, -1).T), -1, 0)
    below_top = (99.5 - z).reshape(shape)
    radius = np.hypot(x, y).reshape(shape)
    angle = np.degrees(np.arctan2(np.abs(x), -y)).reshape(shape)  # 0 dorsal, 90 at the sides
    cord = radius <= 4
    rootlets = np.zeros(shape, dtype=np.int32)
    for value, (start, end) in ZONES_MM.items():
        descent = (radius - 4) * 1.0  # 45 degrees
        along = (below_top >= start + descent) & (below_top < end + descent)
        for centre in (60, 115):  # dorsal and ventral
            ray = np.abs(angle - centre) < 9
            rootlets[along & ray & (radius > 4) & (radius < 7)] = value
    discs = np.zeros(shape, dtype=np.int32)
    for label, mm in DISCS_MM.items():
        discs[16, 16 + 9, int(99.5 - mm)] = label
    rng = np.random.default_rng(seed)
    grey = 100 + 400 * (radius < 9) - 250 * cord - 150 * (rootlets > 0)
    grey = (grey + rng.normal(0, 15, shape)).clip(0).astype(np.float32)
    return Neck(
        Image(grey, grid),
        LabelImage(cord.astype(np.int32), grid),
        LabelImage(rootlets, grid),
        LabelImage(discs, grid),
    )


def save_array(path: Path, data: NDArray[np.generic], affine: NDArray[np.float64]) -> Path:
    """Write any array as NIfTI, also one that this package would refuse to write."""
    nib.save(nib.Nifti1Image(data, affine), path)
    return path


def noise(shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(3).normal(100, 20, shape).astype(np.float32)


def make_model_folder(folder: Path, *, has_level_identity: bool) -> Path:
    """Make a folder that is found as an nnU-Net model, with a checkpoint that is none.

    It serves whatever happens before a network is loaded.
    """
    labels = (
        {"background": 0, **{f"lvl{n}": n for n in range(1, 10)}}
        if has_level_identity
        else {"background": 0, "cord": 1, "csf": 2, "rootlet": 3}
    )
    import json

    inner = folder / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    (inner / "fold_all").mkdir(parents=True)
    dataset = {"labels": labels, "channel_names": {"0": "T2w"}, "file_ending": ".nii.gz"}
    if not has_level_identity:
        dataset["sct_rootlets"] = {"rootlet_threshold": 0.7}
    (inner / "dataset.json").write_text(json.dumps(dataset))
    (inner / "plans.json").write_text(json.dumps({"configurations": {"3d_fullres": {}}}))
    (inner / "fold_all" / "checkpoint_final.pth").write_bytes(b"no checkpoint")
    return folder
