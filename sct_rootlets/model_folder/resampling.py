"""How a plan has images and scores resampled, and whether our own resampling does the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sct_rootlets.model_folder.model_json import is_number, is_whole
from sct_rootlets.model_folder.stated import ELSEWHERE, Stated, require_ours

__all__ = ["ANISOTROPY", "Resampling", "our_resampling", "stated_resampling"]

#: A ratio of spacings above which nnU-Net resamples the coarsest axis apart (ANISO_THRESHOLD).
ANISOTROPY = 3.0

#: nnU-Net's functions of resampling, and their arguments; the first is ours too.
_RESAMPLING, _THRESHOLD = "resample_data_or_seg_to_shape", "separate_z_anisotropy_threshold"
_ARGUMENTS = {
    _RESAMPLING: (
        "is_seg", "order", "order_z", "force_separate_z", _THRESHOLD,
    ),
    "resample_torch_fornnunet": (
        "is_seg", "num_threads", "device", "memefficient_seg_resampling", "force_separate_z",
        "mode", "aniso_axis_mode", _THRESHOLD,
    ),
    "no_resampling_hack": (),
}  # fmt: skip


@dataclass(frozen=True)
class Resampling:
    """How nnU-Net's ``resample_data_or_seg_to_shape`` is to interpolate.

    Attributes
    ----------
    order : int
        Of the spline, along all axes, or in the plane where an axis is resampled apart.
    force_separate_z : bool or None
        Whether the axis of the largest spacing is resampled apart, to the nearest voxel;
        None where the anisotropy decides.
    """

    order: int
    force_separate_z: bool | None


def stated_resampling(settings: Stated, what: str) -> tuple[str, Mapping[str, Any]]:
    """Return how nnU-Net resamples `what`: its function, and the arguments of that."""
    function = settings.one_of(f"resampling_fn_{what}", tuple(_ARGUMENTS))
    given = settings.object(f"resampling_fn_{what}_kwargs")
    unknown = [name for name in given.content if name not in _ARGUMENTS[function]]
    if unknown:
        given.refuse(f"{given.has(unknown[0])}, which {function} does not take", ELSEWHERE)
    if function == _RESAMPLING:
        for name in ("order", "order_z"):
            if not is_whole(given.content.get(name, 0), 0, 5):
                given.refuse(f"{given.has(name)}, not an order of splines from 0 to 5")
    for name, others in (("is_seg", ()), ("force_separate_z", (None,))):
        if given.content.get(name, False) not in (True, False, *others):
            given.refuse(f"{given.has(name)}, not true or false")
    if not is_number(given.content.get(_THRESHOLD, ANISOTROPY), 1.0):
        given.refuse(f"{given.has(_THRESHOLD)}, not a ratio of lengths")
    return function, given.content


def our_resampling(how: tuple[str, Mapping[str, Any]], what: str) -> Resampling:
    """Return the same as our own resampling takes it; what is not said is as in nnU-Net."""
    function, given = how
    require_ours(function == _RESAMPLING, f"its resampling {function}")
    require_ours(not given.get("is_seg", False), f"its {what} are resampled as labels")
    require_ours(given.get(_THRESHOLD, ANISOTROPY) == ANISOTROPY, "its threshold of anisotropy")
    order, across = int(given.get("order", 3)), int(given.get("order_z", 0))
    require_ours(order <= 3, f"its resampling of order {order}")
    require_ours(across == 0, f"its resampling of order {across} across slices")
    return Resampling(order, given.get("force_separate_z", False))
