"""Whether the levels arrive where the cord is, and what is wrong if they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.fmri.fractions import coarse_share
from sct_rootlets.fmri.sampling import LevelSampler
from sct_rootlets.fmri.transforms import Chain, DisplacementField
from sct_rootlets.image import Image, LabelImage, require_one_world

__all__ = ["require_arrival", "require_direction_of_fields", "require_known_world"]

#: Overlap of the mapped cord with the cord mask below which it is an error, or a warning.
_WRONG, _POOR = 0.2, 0.5
#: By how much the inverse of an affine has to fit better to be what was meant.
_CLEARLY = 0.25


def require_direction_of_fields(chain: Chain, levels: LabelImage, destination: Image) -> None:
    """Raise if the last displacement field lies on the grid of the levels.

    A displacement field has the grid of the image that it brings others to, so that this one
    maps the other way.

    Raises
    ------
    UsageError
    """
    last = chain.steps[-1] if chain.steps else None
    if (
        isinstance(last, DisplacementField)
        and last.grid.matches(levels.grid)
        and not last.grid.matches(destination.grid)
    ):
        raise UsageError(
            f"is a displacement field on the grid of the levels ({levels.path}): it brings images "
            "to the levels, not the levels to the image of -d",
            path=last.path,
            remedy="Give the field of the other direction, the one of 'sct_apply_transfo -i LEVELS "
            "-d EPI -w FIELD'",
        )


def require_known_world(chain: Chain, levels: LabelImage, destination: Image) -> None:
    """Raise if it is not certain where the levels and the destination lie beside each other.

    Raises
    ------
    InputError
        If the qform and the sform of one differ, and the transforms, or the other image, can be
        right by one of them only.
    """
    require_one_world(levels, destination)
    for image in (levels, destination):
        if chain.steps and image.itk_grid is not None:
            raise InputError(
                f"has a qform and an sform that {image.grid.differs_by(image.itk_grid)}: "
                "transforms of ITK's tools are for the qform, those of FSL for the sform",
                path=image.path,
                remedy="Make them one: sct_image -set-sform-to-qform if the transforms were made "
                "by ANTs or SCT, else -set-qform-to-sform",
            )


def require_arrival(
    sampler: LevelSampler,
    destination: Image,
    chain: Chain,
    cord: LabelImage | None,
    levels_path: str,
) -> list[str]:
    """Raise unless the mapped levels overlap the cord mask, or the field of view; return warnings.

    The mask `cord` is on the grid of `destination`; `levels_path` is for messages.

    Raises
    ------
    UsageError
        If the inverse of the chain would overlap clearly better.
    InputError
        If they do not overlap.
    """
    share = coarse_share(sampler, destination.grid, chain)
    fit = _fit(share, cord, sampler, destination)
    turned = _fit_of_inverse(sampler, destination, chain, cord) if fit < _POOR else None
    what = "the cord mask" if cord is not None else "the field of view"
    if turned is not None and turned > fit + _CLEARLY:
        raise UsageError(
            f"the levels of {levels_path} meet {what} by {fit:.0%} as the transforms are given, "
            f"and by {turned:.0%} through their inverse: they go the other way",
            path=None if cord is None else cord.path,
            remedy="Name them with -winv too, in reverse order where there are several, or give "
            "those of the other direction",
        )
    if not share.any() or (cord is not None and fit < _WRONG):
        raise InputError(
            f"the levels of {levels_path} do not reach {what} of this image"
            + ("" if not share.any() else f": they meet {fit:.0%} of it"),
            path=destination.path if cord is None else cord.path,
            remedy=_remedy(chain, destination),
        )
    if cord is not None and fit < _POOR:
        return [
            f"the mapped cord meets only {fit:.0%} of {cord.path} where both are: look at the "
            "registration, and at the direction of the transforms"
        ]
    return []


def _fit(
    share: NDArray[Any], cord: LabelImage | None, sampler: LevelSampler, destination: Image
) -> float:
    """Return how well the mapped levels meet the mask, 0 to 1, else the field of view.

    With a mask it is their common volume over the smaller of the two, in the voxels' slices
    that both have; without one, the share of the levels' volume that lies within the grid.
    """
    if cord is None:
        volume = float(share.sum()) * destination.grid.voxel_volume_mm3
        return min(volume / max(sampler.volume_mm3, 1e-9), 1.0)
    mask = np.asarray(cord.data) > 0
    axis = int(np.argmax(np.abs(destination.grid.affine[2, :3])))
    across = tuple(a for a in range(3) if a != axis)
    both = (share.sum(axis=across) > 0) & mask.any(axis=across)
    if not both.any():
        return 0.0
    share, mask = np.compress(both, share, axis), np.compress(both, mask, axis)
    smaller = min(float(share.sum()), float(mask.sum()))
    return min(float(share[mask].sum()) / max(smaller, 1e-9), 1.0)


def _fit_of_inverse(
    sampler: LevelSampler, destination: Image, chain: Chain, cord: LabelImage | None
) -> float | None:
    """Return how well the levels would meet through the inverse; None if there is none."""
    if not chain.steps or not chain.is_affine:
        return None
    share = coarse_share(sampler, destination.grid, chain.inverse())
    return _fit(share, cord, sampler, destination)


def _remedy(chain: Chain, destination: Image) -> str:
    """Say what may be wrong."""
    if not chain.steps:
        return (
            "Without -w both have to share the world of the scanner; otherwise give the transforms "
            "from the image of the levels to this one with -w"
        )
    last = chain.steps[-1]
    if isinstance(last, DisplacementField):
        centre = (np.array(destination.grid.shape) - 1) / 2
        if not last.grid.contains(destination.grid.world_from_ijk(centre)):
            return (
                f"The field {last.path} does not cover the middle of this image, so that it was "
                "made for another image"
            )
    return (
        "Check that the transforms are those of 'sct_apply_transfo -i LEVELS -d EPI -w ...', in "
        "this direction and order, and made for these images"
    )
