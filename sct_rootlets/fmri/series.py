"""A series of volumes, read one after the other, and what levels and regions have of it.

It is read twice. The first time every voxel gets its mean and its standard deviation, and shows
whether it is a number throughout and changes at all. The second time the means of the voxels that
count are taken in every level. There is never more than one volume in memory beside the sums.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from sct_rootlets.errors import InputError
from sct_rootlets.fmri.parcels import Parcels
from sct_rootlets.fmri.repetition import Timing, repetition_time
from sct_rootlets.fmri.volumes import VolumeCheck, Volumes
from sct_rootlets.image import Image, on_grid_of, open_nifti

__all__ = [
    "AVERAGES",
    "STANDARDS",
    "RunningStatistics",
    "SeriesFile",
    "VoxelStatistics",
    "extract",
    "projectors",
    "standardized",
    "voxel_statistics",
]

Floats = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

#: Ways to make one number of the voxels of a parcel.
AVERAGES = ("weighted", "label", "fit")
#: What may be done to the time series of a parcel.
STANDARDS = ("none", "zscore", "psc")

_UNREADABLE = (ImageFileError, EOFError, OSError, ValueError, zlib.error)


class SeriesFile:
    """A 4D NIfTI file, of which one volume is in memory at a time.

    Parameters
    ----------
    path : path-like
    reference : Image
        Image of the levels, with whose voxels the ones of the series have to be: in any
        orientation.

    Attributes
    ----------
    path : str
    remarks : tuple of str
        What its header leaves open.
    count : int
        Number of volumes.
    timing : Timing
        Time between volumes, by the header and the JSON files that belong to it.

    Raises
    ------
    InputError
        If the file cannot be used, has another grid, or fewer than two volumes.

    Notes
    -----
    nibabel keeps the file open, so that a compressed one is decompressed once from its
    beginning to its end each time that the volumes are gone through.
    """

    def __init__(self, path: str | os.PathLike[str], reference: Image) -> None:
        self.path = os.fspath(path)
        opened = open_nifti(path, "time series", keep_file_open=True)
        none: NDArray[np.uint8] = np.broadcast_to(np.uint8(0), opened.grid.shape)
        self.remarks = on_grid_of(opened.image(none), reference).remarks
        self._own, self._grid = opened.grid, reference.grid
        if math.prod(opened.shape[4:]) > 1:
            raise InputError(
                f"has {len(opened.shape)} dimensions {opened.shape}, and a time series has its "
                "volumes along the fourth and last (time series)",
                path=path,
                remedy="Put its volumes there, for example with sct_image -split t and -concat t",
            )
        self._nifti: Any = opened.nifti
        self.count = opened.shape[3] if len(opened.shape) > 3 else 1
        if self.count < 2:
            raise InputError(
                "is a single volume, and a time series is needed",
                path=path,
                remedy="Give a statistic map with -stat",
            )
        self.timing: Timing = repetition_time(path, self._nifti.header, self.count)

    def voxels(self, ijk: NDArray[np.intp]) -> Iterator[NDArray[Any]]:
        """Yield the values (N,) of voxels (N, 3) of the levels in one volume after the other."""
        # The indices are turned, and not the volumes.
        own = np.rint(self._own.ijk_from_world(self._grid.world_from_ijk(ijk)))
        at = tuple(own.astype(np.intp).T)
        for index in range(self.count):
            place = (..., index, *[0] * (len(self._nifti.shape) - 4))
            try:
                # No name holds the volume, so that it is gone before the next one is read.
                values = np.asarray(self._nifti.dataobj[place])[at]
            except _UNREADABLE as error:
                raise InputError(
                    f"is truncated or damaged at volume {index} of {self.count} ({error})",
                    path=self.path,
                    remedy="Copy or export it again",
                ) from error
            yield values


class RunningStatistics:
    """Mean and standard deviation of values that come one after the other.

    Notes
    -----
    Welford (1962), Technometrics 4: the mean moves with every value, and the squares are summed
    about it, so that nothing is lost where the mean is large against the changes. Values that
    are NaN or infinite are counted and left out.
    """

    def __init__(self, size: int) -> None:
        self.count = np.zeros(size, dtype=np.intp)
        self.bad = np.zeros(size, dtype=np.intp)
        self.mean = np.zeros(size)
        self._squares = np.zeros(size)

    def add(self, values: NDArray[Any]) -> None:
        """Take the next values (N,)."""
        numbers = values.astype(np.float64)
        finite = np.isfinite(numbers)
        self.bad += ~finite
        self.count += finite
        numbers = np.where(finite, numbers, self.mean)
        step = numbers - self.mean
        self.mean += step / np.maximum(self.count, 1)
        # A value left out is its own mean: it moves nothing, and adds nothing.
        self._squares += step * (numbers - self.mean)

    @property
    def sd(self) -> Floats:
        """Standard deviation (N,), with one degree of freedom less than values."""
        return np.sqrt(self._squares / np.maximum(self.count - 1, 1))


@dataclass(frozen=True, eq=False)
class VoxelStatistics:
    """What each voxel of the parcels does over time.

    Attributes
    ----------
    mean, sd : (N,) arrays
        Over the volumes in which it is a finite number.
    is_bad : (N,) array
        NaN or infinite in at least one volume that holds a whole image.
    is_constant : (N,) array
        The same in all these volumes.
    volumes : Volumes
        Which they are.
    """

    mean: Floats
    sd: Floats
    is_bad: NDArray[np.bool_]
    is_constant: NDArray[np.bool_]
    volumes: Volumes

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Voxels that enter the tables, (N,)."""
        return ~(self.is_bad | self.is_constant)

    @property
    def tsnr(self) -> Floats:
        """Mean over standard deviation, (N,); NaN for voxels that do not count."""
        return np.divide(self.mean, self.sd, out=np.full(len(self.sd), np.nan), where=self.counts)


def voxel_statistics(
    series: SeriesFile,
    ijk: NDArray[np.intp],
    inside: NDArray[np.bool_],
    progress: Progress | None = None,
) -> VoxelStatistics:
    """Go through a series; return the statistics of its voxels `ijk` (N, 3).

    Volumes that hold no whole image in the voxels `inside` the mask, (N,), do not enter. Which
    lack a part of it is known at the end only: where there are such volumes, the series is gone
    through once more.
    """
    check = VolumeCheck()
    running = RunningStatistics(len(ijk))
    for done, values in enumerate(series.voxels(ijk), start=1):
        if check.add(values[inside]):
            running.add(values)
        if progress is not None:
            progress("voxels of the series", done, series.count)
    volumes = check.found()
    if "part" in volumes.kinds:
        running = RunningStatistics(len(ijk))
        for holds, values in zip(volumes.holds, series.voxels(ijk), strict=True):
            if holds:
                running.add(values)
    bad, sd = running.bad > 0, running.sd
    return VoxelStatistics(running.mean, sd, bad, ~bad & (sd == 0), volumes)


def projectors(parcels: Parcels, counts: NDArray[np.bool_], average: str) -> Floats:
    """Return what turns the voxels of a volume into one number a parcel, (P, N).

    Parameters
    ----------
    parcels : Parcels
    counts : (N,) array
        Voxels that enter.
    average : {"weighted", "label", "fit"}
        ``weighted``: the mean, each voxel weighted by its share of the parcel. ``label``: the
        mean of the voxels that have its label, as nilearn's NiftiLabelsMasker. ``fit``: the
        values that, spread over the voxels by their shares, come closest to the volume by least
        squares, as nilearn's NiftiMapsMasker.

    Returns
    -------
    (P, N) array
        0 for voxels that do not enter, NaN for parcels without a voxel that does.
    """
    if average not in AVERAGES:
        raise ValueError(f"{average} is none of {', '.join(AVERAGES)}")
    weight = parcels.indicator if average == "label" else parcels.weight
    weight = np.where(counts[:, None], weight, 0.0)
    total = weight.sum(axis=0)
    if average == "fit":
        answer = np.asarray(np.linalg.pinv(weight), dtype=np.float64)
    else:
        answer = np.asarray((weight / np.where(total > 0, total, 1)).T)
    answer[total == 0] = np.nan
    return answer


def extract(
    series: SeriesFile,
    ijk: NDArray[np.intp],
    projector: Floats,
    counts: NDArray[np.bool_],
    progress: Progress | None = None,
) -> Floats:
    """Go through a series once; return the time series (T, P) of the parcels.

    Parameters
    ----------
    series : SeriesFile
    ijk : (N, 3) array
        Voxels of the parcels.
    projector : (P, N) array
        As of :func:`projectors`, of one or several kinds below each other.
    counts : (N,) array
        Voxels that enter.
    progress : callable, optional
    """
    entering = projector[:, counts]
    answer = np.zeros((series.count, len(projector)))
    for index, values in enumerate(series.voxels(ijk[counts])):
        with np.errstate(invalid="ignore"):  # a volume that is infinite has no number
            answer[index] = entering @ values.astype(np.float64)
        if progress is not None:
            progress("levels of the series", index + 1, series.count)
    answer[:, np.isnan(projector).any(axis=1)] = np.nan
    return answer


def standardized(series: Floats, how: str) -> Floats:
    """Return time series (T, P) as they are, in standard deviations, or in percent.

    Parameters
    ----------
    series : (T, P) array
    how : {"none", "zscore", "psc"}
        ``zscore``: less the mean, over the standard deviation (of a sample, as nilearn's
        ``zscore_sample``). ``psc``: change from the mean in percent of its size.
    """
    if how not in STANDARDS:
        raise ValueError(f"{how} is none of {', '.join(STANDARDS)}")
    if how == "none":
        return series
    mean = series.mean(axis=0)
    scale = series.std(axis=0, ddof=1) if how == "zscore" else np.abs(mean) / 100
    with np.errstate(invalid="ignore", divide="ignore"):
        answer = np.where(scale > 0, (series - mean) / scale, np.nan)
    return np.asarray(answer)
