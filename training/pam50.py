"""PAM50's label maps as a stand-in for the phantom's own sac, cord and rootlets.

The template is straight, so a point of the phantom's cord frame is looked up in it
directly: ``s`` along its z axis, ``u`` and ``v`` across. What lies around the canal, the
bending and the contrast stay the phantom's.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.phantom.draw import WIDTHS_MM
from sct_rootlets.phantom.model import Anatomy

__all__ = ["Pam50", "Pam50Canal"]

#: Index along z of the middle of C5's entry zone in PAM50_rootlets, and the template's
#: millimetres along the cord for one of the phantom's average subject.
C5_K, SPACING_MM, LONGER = 860.0, 0.5, 1.08


class Pam50:
    """The three label maps, loaded once.

    Parameters
    ----------
    folder : path-like
        Holds ``PAM50_cord``, ``PAM50_csf`` and ``PAM50_rootlets`` (``.nii.gz``), as in
        every SCT installation (``$SCT_DIR/data/PAM50/template``).
    """

    def __init__(self, folder: str | Path) -> None:
        def load(name: str) -> NDArray[np.uint8]:
            path = Path(folder) / f"PAM50_{name}.nii.gz"
            return np.asarray(nib.load(path).dataobj, dtype=np.uint8)

        self.cord = load("cord") > 0
        self.sac = self.cord | (load("csf") > 0)
        rootlets = load("rootlets")
        self.part = np.zeros(rootlets.shape, np.uint8)  # one number a connected component
        components, _ = ndimage.label(rootlets > 0, np.ones((3, 3, 3)))
        self.part = components.astype(np.uint8)


class Pam50Canal:
    """The canal of one anatomy, taken from PAM50; callable as the phantom's own.

    Attributes
    ----------
    part : (N,) uint8 array
        Component of PAM50's rootlets at the points of the last call, 0 for none.
    """

    def __init__(self, template: Pam50, anatomy: Anatomy, rng: np.random.Generator) -> None:
        self.template = template
        c5 = [f.points_suv[0, 0] for f in anatomy.filaments if f.level is SpinalLevel.C5]
        self.c5_s = float(np.mean(c5))
        self.stretch = LONGER * rng.normal(1, 0.06)
        self.anatomy = anatomy
        self.widen = float(np.exp(rng.normal(0, 0.06)))
        self.part = np.zeros(0, np.uint8)

    def __call__(
        self, s: NDArray[np.float32], u: NDArray[np.float32], v: NDArray[np.float32]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which of the points (N,) lie in the sac, and which in the cord."""
        # Across, the template is scaled so that its cord is as wide as the phantom's.
        a = self.anatomy
        lr = np.interp(a.s_mm, WIDTHS_MM[:, 0], WIDTHS_MM[:, 1]) / a.cord_lr_mm
        ap = np.interp(a.s_mm, WIDTHS_MM[:, 0], WIDTHS_MM[:, 2]) / a.cord_ap_mm
        k = np.rint(C5_K - (s - self.c5_s) * self.stretch / SPACING_MM).astype(np.int32)
        i = np.rint(70 + u * a.at(lr.astype(np.float32), s) * self.widen / SPACING_MM)
        j = np.rint(70.5 - v * a.at(ap.astype(np.float32), s) * self.widen / SPACING_MM)
        shape = self.template.cord.shape
        inside = (i >= 0) & (i < shape[0]) & (j >= 0) & (j < shape[1]) & (k >= 0) & (k < 984)
        at = tuple(np.where(inside, index, 0).astype(np.int32) for index in (i, j, k))
        self.part = np.where(inside, self.template.part[at], 0).astype(np.uint8)
        return inside & self.template.sac[at], inside & self.template.cord[at]
