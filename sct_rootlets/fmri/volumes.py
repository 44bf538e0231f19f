"""Volumes of a series that hold no whole image: NaN, zeros, or one value, in all voxels or many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["VolumeCheck", "Volumes", "ranges"]

#: So many voxels of an MR image never have the same value, unless it is 0.
_MANY = 10
#: Share of the voxels that other volumes hold, above which a volume that lacks them is no whole
#: image; and how many times as large as the usual share it has to be.
_LACKING, _TIMES = 0.05, 3.0
_EMPTY = {
    "nan": "NaN or infinite in all voxels of the levels",
    "zero": "0 in all voxels of the levels",
    "mixed": "NaN or 0 in all voxels of the levels",
    "constant": "one and the same value in all voxels of the levels",
}


@dataclass(frozen=True, eq=False)
class Volumes:
    """Which volumes of a series hold a whole image in the voxels that were looked at.

    Attributes
    ----------
    kinds : tuple of str
        Of every volume: ``nan``, ``zero``, ``mixed``, ``constant``, ``part``, or empty where it
        holds a whole image.
    n_lacking, n_usual : int
        Voxels in which most volumes hold something, and how many of them the worst volume of the
        kind ``part`` lacks.
    """

    kinds: tuple[str, ...]
    n_lacking: int
    n_usual: int

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Whether a volume holds a whole image, (T,)."""
        return np.array([not kind for kind in self.kinds], dtype=bool)

    def remarks(self) -> list[str]:
        """Name the volumes by their numbers, which count from 0."""
        part = (
            f"NaN or 0 in up to {self.n_lacking} of the {self.n_usual} voxels of the levels where "
            "most volumes are not (if many volumes lack the same ones, leave these out with -mask)"
        )
        remarks = []
        for kind, words in {**_EMPTY, "part": part}.items():
            mine = [number for number, one in enumerate(self.kinds) if one == kind]
            if mine:
                which = f"volume{'s' if len(mine) > 1 else ''} {ranges(mine)}"
                remarks.append(
                    f"{which} of {len(self.kinds)} (counted from 0): {words}. Left out of every "
                    "mean, and n/a in the time series"
                )
        return remarks


class VolumeCheck:
    """Looks at volumes one after the other, and keeps one bit a voxel of each."""

    def __init__(self) -> None:
        self._kinds: list[str] = []
        self._nothing: list[NDArray[np.uint8]] = []
        self._size = 0

    def add(self, values: NDArray[np.generic]) -> bool:
        """Take the values (N,) of the next volume; return whether it holds an image."""
        finite = np.isfinite(values)
        known = values[finite]
        kind = ""
        if not len(known):
            kind = "nan"
        elif known.min() == known.max() == 0:
            kind = "zero" if finite.all() else "mixed"
        elif known.min() == known.max() and len(known) >= _MANY:
            kind = "constant"
        self._kinds.append(kind)
        if not kind:
            self._size = len(values)
            self._nothing.append(np.packbits(~finite | (values == 0)))
        return not kind

    def found(self) -> Volumes:
        """Return what was found in all of them."""
        absent = np.zeros(self._size, dtype=np.intp)
        for bits in self._nothing:
            absent += np.unpackbits(bits, count=self._size)
        usual = absent < len(self._nothing) / 2
        lacks = [
            int(np.count_nonzero(np.unpackbits(bits, count=self._size)[usual]))
            for bits in self._nothing
        ]
        count = int(usual.sum())
        least = max(_LACKING * count, _TIMES * float(np.median(lacks)) if lacks else 0.0)
        kinds, worst = list(self._kinds), 0
        whole = [number for number, kind in enumerate(kinds) if not kind]
        for number, lack in zip(whole, lacks, strict=True):
            if lack > 0 and lack >= least:
                kinds[number], worst = "part", max(worst, lack)
        return Volumes(tuple(kinds), worst, count)


def ranges(numbers: Iterable[int]) -> str:
    """Return numbers in words, neighbours as a range.

    Examples
    --------
    >>> ranges([3, 7, 8, 9, 12]), ranges([4, 5])
    ('3, 7-9, 12', '4-5')
    """
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)
