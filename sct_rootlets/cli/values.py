"""Values of options: read from words, or refused with what would be right."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sct_rootlets.tables import number_in

if TYPE_CHECKING:
    from sct_rootlets.anatomy import SpinalLevel

__all__ = [
    "angle",
    "distance",
    "join_coordinates",
    "millimetres",
    "nifti_output",
    "number",
    "path",
    "point",
    "positive_float",
    "positive_int",
    "share",
    "spinal_level",
    "spinal_levels",
    "table_output",
    "transform",
    "three",
    "whole_number",
    "zip_output",
]

#: Options whose value is a point and may therefore start with a minus sign.
_POINT_OPTIONS = ("-c2c3",)
_POINT_PATTERN = re.compile(r"^-[\d.][\d.eE+-]*,")


def join_coordinates(argv: Sequence[str]) -> list[str]:
    """Join a point that starts with a minus sign to its option.

    argparse takes ``-c2c3 -3.5,10,2`` for two options; ``-c2c3=-3.5,10,2`` it reads.

    Examples
    --------
    >>> join_coordinates(["run", "-c2c3", "-3.5,10,2"])
    ['run', '-c2c3=-3.5,10,2']
    """
    joined: list[str] = []
    for word in argv:
        if joined and joined[-1] in _POINT_OPTIONS and _POINT_PATTERN.match(word):
            joined[-1] = f"{joined[-1]}={word}"
        else:
            joined.append(word)
    return joined


def point(text: str) -> tuple[float, float, float]:
    """Read a world point ``x,y,z`` in mm, for argparse.

    Examples
    --------
    >>> point("-3.5,10,2")
    (-3.5, 10.0, 2.0)
    """
    return three(text, "a point: give three numbers in mm, such as -3.5,10,2")


def three(text: str, what: str) -> tuple[float, float, float]:
    """Read three finite numbers between commas, for argparse; else `text` is not `what`."""
    parts = [number_in(part) for part in text.split(",")]
    known = [part for part in parts if part is not None and math.isfinite(part)]
    if len(parts) != 3 or len(known) != 3:
        raise argparse.ArgumentTypeError(f"'{text}' is not {what}")
    x, y, z = known
    return x, y, z


def number(text: str) -> float:
    """Read a finite number, for argparse."""
    return _number(text, lambda value: True, "a finite number")


def path(text: str) -> Path:
    """Read a path, for argparse; ``~`` is the home folder also where no shell has seen it.

    Examples
    --------
    >>> path("a/~b").as_posix()
    'a/~b'
    """
    found = os.path.expanduser(text)
    if found.startswith("~") and not os.path.lexists(found):
        raise argparse.ArgumentTypeError(
            f"'{text}' begins with ~, and there is no such home folder; for a file of this name "
            f"type ./{text}"
        )
    return Path(found)


def transform(text: str) -> str:
    """Read a transform, a path or several with commas between them, for argparse.

    Examples
    --------
    >>> transform("a.mat,b.nii,c.nii")
    'a.mat,b.nii,c.nii'
    """
    return ",".join(os.path.expanduser(part) for part in text.split(","))


def nifti_output(text: str) -> Path:
    """Read the path of a NIfTI file to write, for argparse."""
    return _output(text, ".nii.gz", ".nii")


def millimetres(text: str) -> tuple[float, float, float]:
    """Read lengths along three axes in mm, one number for all or three, for argparse.

    Examples
    --------
    >>> millimetres("0.8"), millimetres("1,1,2")
    ((0.8, 0.8, 0.8), (1.0, 1.0, 2.0))
    """
    sizes = [positive_float(part) for part in text.split(",")]
    if len(sizes) not in (1, 3):
        raise argparse.ArgumentTypeError(f"'{text}' is not one length in mm or three")
    x, y, z = sizes * 3 if len(sizes) == 1 else sizes
    return x, y, z


def share(text: str) -> float:
    """Read a number from 0 to 1, for argparse."""
    return _number(text, lambda value: 0 <= value <= 1, "a number from 0 to 1")


def angle(text: str) -> float:
    """Read an angle of less than 90 degrees, for argparse."""
    return _number(text, lambda value: -90 < value < 90, "an angle between -90 and 90 degrees")


def spinal_level(text: str) -> SpinalLevel:
    """Read the name of a spinal level, for argparse.

    Examples
    --------
    >>> spinal_level("t12").name
    'T12'
    """
    from sct_rootlets.anatomy import SpinalLevel

    try:
        return SpinalLevel[text.upper()]
    except KeyError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a spinal level: C1 to C8, T1 to T12, L1 to L5, S1 to S5"
        ) from None


def spinal_levels(text: str) -> frozenset[SpinalLevel]:
    """Read names of spinal levels and ranges of them, for argparse.

    Examples
    --------
    >>> sorted(level.name for level in spinal_levels("C7:T1,t3"))
    ['C7', 'C8', 'T1', 'T3']
    """
    chosen: set[SpinalLevel] = set()
    for part in text.split(","):
        first, colon, last = part.partition(":")
        low = spinal_level(first.strip())
        high = spinal_level(last.strip()) if colon else low
        if high < low:
            raise argparse.ArgumentTypeError(f"'{part}' runs from caudal to rostral: {high}:{low}")
        chosen |= {level for level in type(low) if low <= level <= high}
    return frozenset(chosen)


def table_output(text: str) -> Path:
    """Read the path of a table to write, for argparse."""
    return _output(text, ".tsv", ".csv")


def zip_output(text: str) -> Path:
    """Read the path of a zip to write, for argparse."""
    return _output(text, ".zip")


def whole_number(text: str) -> int:
    """Read a whole number of 0 or more, for argparse."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 0 or more")
    return int(text)


def distance(text: str) -> float:
    """Read a length of 0 mm or more, for argparse."""
    return _number(text, lambda value: value >= 0, "a number of 0 or more")


def positive_float(text: str) -> float:
    """Read a finite number above 0, for argparse."""
    return _number(text, lambda value: value > 0, "a positive number")


def positive_int(text: str) -> int:
    """Read a whole number of 1 or more, for argparse."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def _output(text: str, *endings: str) -> Path:
    if not text.lower().endswith(endings):
        raise argparse.ArgumentTypeError(f"'{text}' does not end in {' or '.join(endings)}")
    return path(text)


def _number(text: str, fits: Callable[[float], bool], what: str) -> float:
    """Read a finite number that `fits`; the error says that the text is not `what`."""
    value = number_in(text)
    if value is None or not (math.isfinite(value) and fits(value)):
        raise argparse.ArgumentTypeError(f"'{text}' is not {what}")
    return value
