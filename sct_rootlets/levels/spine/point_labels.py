"""Label images of vertebrae: their voxels in the world, and point labels along the cord."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.anatomy import VertebralLevel
from sct_rootlets.centerline import Centerline
from sct_rootlets.errors import InputError
from sct_rootlets.image import LabelImage
from sct_rootlets.levels.population.template import DISC_SD_MM

__all__ = ["APART_MM", "LONGEST_MM", "all_far", "place_points", "vertebral_voxels", "voxels_of"]

Floats = NDArray[np.float64]

#: Labels in files of discs and vertebrae that are neither: pontomedullary groove and junction,
#: conus.
OTHER_LANDMARKS = (49, 50, 60)
#: Parts of one label farther apart than this along the cord, mm, are two labels: less than
#: half of a vertebra.
APART_MM = 6.0
#: A label longer than this along the cord, mm, is no point and no disc.
LONGEST_MM = 15.0
#: A label farther than this off the cord, or from its ends, mm, is of something else.
FAR_MM = 40.0
#: A point beyond the cord mask by more than this, mm, is said; its position is less certain
#: by this share of the distance, because the centerline goes on straight and the neck may not.
BEYOND_MM, BEYOND_SD_SHARE = 2.0, 0.1


def voxels_of(labels: LabelImage) -> dict[int, Floats]:
    """Return the world points (N, 3) of every label, ascending; one look at the image."""
    ijk = np.argwhere(labels.data)
    value = np.asarray(labels.data)[tuple(ijk.T)]
    xyz = labels.grid.world_from_ijk(ijk)
    return {int(label): xyz[value == label] for label in np.unique(value)}


def vertebral_voxels(labels: LabelImage) -> dict[int, Floats]:
    """Return the world points of every vertebra; raise if others than landmarks are there."""
    known = {level.value for level in VertebralLevel}
    voxels = {k: xyz for k, xyz in voxels_of(labels).items() if k not in OTHER_LANDMARKS}
    wrong = [value for value in voxels if value not in known]
    if wrong or not voxels:
        raise InputError(
            f"has values that are no vertebral levels: {wrong[:5]}" if wrong else "has no vertebra",
            path=labels.path,
            remedy="Vertebrae are C1-C7 = 1-7, T1 = 8, ... T12 = 19, L1 = 20",
        )
    return voxels


def all_far(labels: LabelImage, what: str) -> InputError:
    """Return the error for labels that all lie far from the cord."""
    return InputError(
        f"has no {what} within {FAR_MM:.0f} mm of the cord",
        path=labels.path,
        remedy="Give labels of the same image as the cord mask, in the same world space",
    )


def place_points(
    labels: LabelImage,
    voxels: Mapping[int, Floats],
    centerline: Centerline,
    names: Mapping[int, str],
) -> tuple[dict[int, float], dict[int, float], list[str]]:
    """Place point labels along the cord.

    Parameters
    ----------
    labels : LabelImage
    voxels : mapping of int to (N, 3) array
        World points of its labels (:func:`voxels_of`).
    centerline : Centerline
    names : mapping of int to str
        The labels that are wanted, and what each is.

    Returns
    -------
    s_mm, sd_mm : dict of int to float
        Position and standard deviation by label; labels too far from the cord are not there.
    warnings : list of str

    Raises
    ------
    InputError
        If a label is in two places, or too long along the cord for a point.
    """
    s, sd, warnings = {}, {}, []
    # A label of two slices is as long as a slice is thick.
    coarse = 1.5 * float(labels.grid.spacing_mm.max())
    for label, name in names.items():
        if label not in voxels:
            continue
        along = np.sort(centerline.project(voxels[label]).s_mm)
        gaps = np.diff(along)
        if len(gaps) and gaps.max() > max(APART_MM, coarse):
            k = int(gaps.argmax())
            raise InputError(
                f"has the label {label} ({name}) in two places, at {along[: k + 1].mean():.1f} and "
                f"{along[k + 1 :].mean():.1f} mm along the cord",
                path=labels.path,
                remedy="Remove the wrong one",
            )
        if along[-1] - along[0] > max(LONGEST_MM, coarse):
            raise InputError(
                f"has a label {label} ({name}) that is {along[-1] - along[0]:.0f} mm long along "
                "the cord, and a point is needed",
                path=labels.path,
                remedy="A cord labelled with vertebral levels goes to -vertfile",
            )
        at = centerline.project(voxels[label].mean(axis=0))
        place, off = float(at.s_mm[0]), float(at.radius_mm[0])
        beyond = max(centerline.start_mm - place, place - centerline.end_mm, 0.0)
        if max(beyond, off) > FAR_MM:
            where = f"{beyond:.0f} mm beyond its end" if beyond > FAR_MM else f"{off:.0f} mm off"
            warnings.append(f"{name} is too far from the cord ({where}) and was left out")
            continue
        if beyond > BEYOND_MM:
            end = "rostral" if place < centerline.start_mm else "caudal"
            warnings.append(
                f"{name} lies {beyond:.0f} mm {end} of the cord mask, where the centerline goes on "
                "straight: its position is less certain"
            )
        s[label] = place
        sd[label] = float(np.hypot(DISC_SD_MM, BEYOND_SD_SHARE * beyond))
    return s, sd, warnings
