"""The time between the volumes of a series: what its header says, and what its sidecar says.

Both are often wrong. A tool that writes an image anew leaves 0 in the header, or 1 without a
unit; a converter writes milliseconds where seconds are meant. So the two are compared.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sct_rootlets.errors import InputError
from sct_rootlets.files.inheritance import sidecars_of
from sct_rootlets.files.json_files import read_object
from sct_rootlets.files.sidecar import sidecar_path

__all__ = ["PLAUSIBLE_S", "Timing", "repetition_time"]

#: Time between volumes that a run of fMRI may have, s. Multiband EPI of one slice group comes near
#: the lower end, sparse sampling near the upper one.
PLAUSIBLE_S = (0.1, 30.0)
#: Two times that differ by less are one time that was rounded, s.
_ROUNDING_S = 1e-3
#: Seconds of a unit of NIfTI's ``xyzt_units``; 0 is "unknown".
_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}
_OTHER_UNITS = {32: "Hz", 40: "ppm", 48: "rad/s"}
_KINDS = {str: "text", list: "a list", dict: "an object", bool: "true or false", type(None): "null"}
_NO_RUN = f"which no run has ({PLAUSIBLE_S[0]:g} to {PLAUSIBLE_S[1]:g} s)"


@dataclass(frozen=True)
class Timing:
    """The time between volumes, and what has to be said of it.

    Attributes
    ----------
    tr_s : float or None
        None where it is not known, is not believed, or changes.
    sidecar : Path or None
        JSON file that says something about it.
    remarks : tuple of str
    """

    tr_s: float | None = None
    sidecar: Path | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Said:
    """What one source says: in words, and in seconds.

    Attributes
    ----------
    words : str
        Empty where it says nothing.
    readings_s : tuple of float
        What that may mean: two readings of a number without a unit, none of nonsense.
    is_uneven : bool
        It says that the time changes.
    """

    words: str = ""
    readings_s: tuple[float, ...] = ()
    is_uneven: bool = False

    @property
    def plausible_s(self) -> tuple[float, ...]:
        low, high = PLAUSIBLE_S
        return tuple(time for time in self.readings_s if low <= round(time, 6) <= high)


def repetition_time(path: str | os.PathLike[str], header: Any, count: int) -> Timing:
    """Return the time between the `count` volumes of a series.

    Parameters
    ----------
    path : path-like
        Of the series; its JSON files are looked for beside it and, by the rules of BIDS, above.
    header : nibabel header
    count : int

    Notes
    -----
    Where header and sidecar differ the sidecar is taken: it was written once, by the converter,
    while every later tool writes the header anew, and many lose the time. A time that no run has
    is never taken. One that is not there is better than a wrong one: nothing else depends on it.
    """
    name = Path(path).name
    of_header = _of_header(header)
    file, of_sidecar, remarks = _of_sidecars(path, count)
    beside = "" if file is None else file.name
    if of_sidecar.is_uneven:
        remarks.append(f"{beside}: {of_sidecar.words}: no RepetitionTime is written")
        return Timing(None, file, tuple(remarks))
    theirs = of_sidecar.plausible_s
    if theirs:
        same = any(abs(time - theirs[0]) <= _ROUNDING_S for time in of_header.readings_s)
        if of_header.words and not same:
            remarks.append(
                f"the header of {name} says {of_header.words} between volumes, and {beside} "
                f"{theirs[0]:g} s: {beside} is taken, since tools that write an image anew often "
                "lose the time in its header. Correct the one that is wrong"
            )
        return Timing(round(theirs[0], 6), file, tuple(remarks))
    if of_sidecar.words:
        remarks.append(f"{beside}: {of_sidecar.words}: it is not used")
    ours = of_header.plausible_s
    remedy = f"state RepetitionTime, in seconds, in {sidecar_path(name)}"
    if not ours:
        says = f"says {of_header.words} between volumes" if of_header.words else "has no time"
        doubt = f", {_NO_RUN}" if of_header.readings_s else ""
        remarks.append(
            f"the header of {name} {says}{doubt}, and no JSON file beside it gives one that can be "
            f"used: no RepetitionTime is written. To have it, {remedy}"
        )
    elif len(of_header.readings_s) > 1:
        remarks.append(
            f"the header of {name} says {of_header.words} between volumes: {ours[0]:g} s is taken. "
            f"To be sure, {remedy}"
        )
    return Timing(round(ours[0], 6) if ours else None, file, tuple(remarks))


def _of_header(header: Any) -> _Said:
    """Return what the header of a series says."""
    zooms = header.get_zooms()
    value = float(zooms[3]) if len(zooms) > 3 else 0.0
    if value == 0:
        return _Said()
    # Not get_xyzt_units, which fails on codes that NIfTI does not have; and headers of other
    # formats have none.
    code = int(header["xyzt_units"]) & 0x38 if "xyzt_units" in header else 0
    if code in _OTHER_UNITS:
        return _Said(f"{value:g} {_OTHER_UNITS[code]}, which is no time,")
    if not math.isfinite(value) or value < 0:
        return _Said(f"{value:g}, which is no time,")
    if code not in _SECONDS:
        return _Said(f"{value:g} without a unit", (value, value * 1e-3))
    seconds = value * _SECONDS[code]
    return _Said(f"{seconds:g} s", (seconds,))


def _of_sidecars(path: str | os.PathLike[str], count: int) -> tuple[Path | None, _Said, list[str]]:
    """Return the first JSON file that says something, what it says, and remarks about others."""
    remarks = []
    for file in sidecars_of(path):
        try:
            content = read_object(file)
        except InputError as error:
            remarks.append(f"{file.name} {error.problem}: it is not used for the time of a volume")
            continue
        said = _of_json(content, count)
        if said.words:
            return file, said, remarks
    return None, _Said(), remarks


def _of_json(content: Mapping[str, Any], count: int) -> _Said:
    """Return what the content of a sidecar says, in the words of BIDS."""
    if "VolumeTiming" in content and content.get("RepetitionTime") is None:
        return _of_onsets(content["VolumeTiming"], count)
    if "RepetitionTime" not in content:
        return _Said()
    value = content["RepetitionTime"]
    seconds = _number(value)
    if seconds is None:
        return _Said(f"RepetitionTime is {_KINDS.get(type(value), 'something')} and no number")
    if not math.isfinite(seconds) or seconds <= 0:
        return _Said(f"RepetitionTime is {seconds:g}, which is no time")
    said = _Said(f"RepetitionTime is {seconds:g} s", (seconds,))
    return said if said.plausible_s else _Said(f"{said.words}, {_NO_RUN}")


def _of_onsets(onsets: Any, count: int) -> _Said:
    """Return what the onsets of all volumes say."""
    numbers = [_number(one) for one in onsets] if isinstance(onsets, list) else []
    times = np.array([np.nan if one is None else one for one in numbers])
    if len(times) != count:
        return _Said(f"VolumeTiming is not of the {count} volumes but of {len(times)}")
    steps = np.diff(times)
    if not np.isfinite(times).all() or (steps <= 0).any():
        return _Said("VolumeTiming does not hold growing numbers of seconds")
    if steps.max() - steps.min() > _ROUNDING_S:
        words = f"by VolumeTiming, {steps.min():g} to {steps.max():g} s lie between volumes"
        return _Said(words, is_uneven=True)
    said = _Said("VolumeTiming", (float(steps.mean()),))
    return said if said.plausible_s else _Said(f"VolumeTiming has {steps.mean():g} s, {_NO_RUN}")


def _number(value: Any) -> float | None:
    """Return a number of JSON, infinity if it is larger than any; None of anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
