"""Vertebrae and the discs between them: labels, names and heights.

Disc N lies above vertebra N (C2/C3 = 3). Vertebrae and spinal levels share names and not
numbers; a vertebra leaves these modules as a `VertebralLevel` and never as an integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from sct_rootlets.anatomy import VertebralLevel, disc_name

__all__ = [
    "DISC_C7T1",
    "DISC_LABELS",
    "DISC_MM",
    "TOP_OF_C1",
    "VERTEBRA_HEIGHT_MM",
    "bound_name",
    "centre_mm",
    "disc_above",
    "vertebra_below",
]

#: Disc labels that are discs, C1/C2 to L5/S1.
DISC_LABELS = range(2, 26)
#: Label of the top of C1 in a file of disc labels.
TOP_OF_C1 = 1
#: Disc C7/T1, below the last cervical vertebra.
DISC_C7T1 = 8
#: Height of every vertebra with the half discs above and below it, mm along the cord of
#: PAM50: the projections of its label_discPosterior (spinalcordtoolbox/PAM50 @ 3144364, 0.5 mm),
#: the mean of 50 subjects. L2 to L5, whose discs PAM50 does not have, are set as high as T12.
VERTEBRA_HEIGHT_MM: Mapping[VertebralLevel, float] = MappingProxyType(
    dict(
        zip(
            list(VertebralLevel)[:24],
            (
                *(25.6, 14.4, 18.4, 17.6, 17.5, 16.4, 17.9),
                *(20.6, 23.1, 23.2, 23.5, 25.0, 25.5, 27.0, 26.5, 27.5, 28.4, 31.0, 32.6),
                *(32.3, 32.6, 32.6, 32.6, 32.6),
            ),
            strict=True,
        )
    )
)
_HEIGHTS = tuple(VERTEBRA_HEIGHT_MM.values())
#: The same as positions by disc label, mm from the top of C1.
DISC_MM = dict(enumerate(np.concatenate([[0.0], np.cumsum(_HEIGHTS)]).tolist(), TOP_OF_C1))


def vertebra_below(disc_label: int) -> VertebralLevel:
    """Return the vertebra below a disc: disc label N is the disc above vertebra N.

    Examples
    --------
    >>> vertebra_below(3), vertebra_below(8)
    (<VertebralLevel.C3: 3>, <VertebralLevel.T1: 8>)
    """
    return VertebralLevel(disc_label)


def disc_above(vertebra: VertebralLevel) -> int:
    """Return the label of the disc above a vertebra; 1, the top of C1, for C1."""
    return int(vertebra.value)


def centre_mm(vertebra: VertebralLevel) -> float:
    """Return where the middle of a vertebra lies in PAM50, mm from the top of C1."""
    label = disc_above(vertebra)
    return (DISC_MM[label] + DISC_MM[label + 1]) / 2


def bound_name(label: int) -> str:
    """Return the name of a disc, or of the top of C1."""
    return "the top of C1" if label == TOP_OF_C1 else f"disc {disc_name(label)}"
