"""Why a run cannot go on, and what to do about it."""

from __future__ import annotations

from sct_rootlets.engines import Segmentation
from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.image import Image, LabelImage
from sct_rootlets.manifest import InstalledModel

__all__ = ["no_cord", "no_identity", "no_levels", "require_rootlets"]


_WHICH_IS_WHICH = (
    "Say which is which with disc labels (-discs; C2/C3 alone, value 3, is enough), with a cord "
    "labelled with vertebral levels (-vertfile), or with the C2/C3 disc's position in world mm "
    "(-c2c3 x,y,z). 'sct_rootlets run' finds discs itself where SCT is installed"
)


def require_rootlets(segmentation: Segmentation, image: Image) -> None:
    """Raise an `InputError` unless the network found any rootlets in the image."""
    if not segmentation.rootlets.labels:
        raise InputError(
            "no rootlets were found in it",
            path=image.path,
            remedy="They are seen at about 1 mm or finer; look at the image around the cord, "
            "or try another -model",
        )


def no_identity(model: InstalledModel) -> UsageError:
    """Return the error of a model that names no levels, with nothing given that does."""
    return UsageError(
        f"the model {model.name} finds rootlets and not which spinal level they belong to: "
        "from level to level they look alike",
        remedy=_WHICH_IS_WHICH,
    )


def no_levels(rootlets: LabelImage) -> UsageError:
    """Return the error of rootlets without levels, with nothing given that names them."""
    return UsageError(
        "has the value 1 throughout, so that nothing says which spinal level its rootlets "
        "belong to",
        path=rootlets.path,
        remedy=_WHICH_IS_WHICH,
    )


def no_cord(model: InstalledModel) -> UsageError:
    """Return the error of a model that makes no cord mask, with none given."""
    return UsageError(
        f"the model {model.name} predicts no cord mask, which the levels need",
        remedy="Give one with -s, for example from sct_deepseg spinalcord",
    )
