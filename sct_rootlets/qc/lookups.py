"""Names and colours of labels, in the formats of the viewers: FSLeyes, ITK-SNAP, 3D Slicer.

Sources of the formats: the FSLeyes user guide ("Lookup tables"), the header that ITK-SNAP itself
writes ("Label description file"), and the developer guide of 3D Slicer ("Color table file").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS, UNNUMBERED

__all__ = ["FORMATS", "Entry", "fsleyes", "itksnap", "of_levels", "slicer"]


@dataclass(frozen=True)
class Entry:
    """One label.

    Attributes
    ----------
    value : int
    name : str
    colour : str
        ``#RRGGBB``.
    """

    value: int
    name: str
    colour: str

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour.removeprefix("#"))
        return red, green, blue


def of_levels(values: Iterable[int], *, numbered: bool = True) -> list[Entry]:
    """Return the entries of spinal levels, or of rootlets whose level is not known.

    Parameters
    ----------
    values : iterable of int
        Labels of the image; those that are no spinal level have no entry of their own colour.
    numbered : bool
        Whether the values are spinal levels.
    """
    entries = []
    for value in sorted(values):
        try:
            level = SpinalLevel(value) if numbered else None
        except ValueError:
            level = None
        if level is not None:
            entries.append(Entry(value, level.name, LEVEL_COLOURS[level]))
        else:
            entries.append(Entry(value, f"label {value}" if numbered else "rootlets", UNNUMBERED))
    return entries


def fsleyes(entries: Iterable[Entry]) -> str:
    """Return a look-up table of FSLeyes: value, red, green and blue of 0 to 1, name.

    Examples
    --------
    >>> print(fsleyes(of_levels([4])), end="")
    4 0.0000 0.6196 0.4510 C4
    """
    lines = []
    for entry in entries:
        colours = " ".join(f"{part / 255:.4f}" for part in entry.rgb)
        lines.append(f"{entry.value} {colours} {entry.name}\n")
    return "".join(lines)


def itksnap(entries: Iterable[Entry]) -> str:
    """Return a label description file of ITK-SNAP, with the label 0 that it asks for."""
    lines = [
        "################################################",
        "# ITK-SnAP Label Description File",
        "# File format: ",
        "# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL",
        "# Fields: ",
        "#    IDX:   Zero-based index ",
        "#    -R-:   Red color component (0..255)",
        "#    -G-:   Green color component (0..255)",
        "#    -B-:   Blue color component (0..255)",
        "#    -A-:   Label transparency (0.00 .. 1.00)",
        "#    VIS:   Label visibility (0 or 1)",
        "#    IDX:   Label mesh visibility (0 or 1)",
        "#  LABEL:   Label description ",
        "################################################",
        '    0     0    0    0        0  0  0    "Clear Label"',
    ]
    for entry in entries:
        red, green, blue = entry.rgb
        name = entry.name.replace('"', "'")
        lines.append(f'{entry.value:>5} {red:>5} {green:>4} {blue:>4}        1  1  1    "{name}"')
    return "\n".join(lines) + "\n"


def slicer(entries: Iterable[Entry]) -> str:
    """Return a color table of 3D Slicer (``.ctbl``): value, name, red, green, blue, opacity.

    Slicer separates by spaces, so that a name has underscores instead.

    Examples
    --------
    >>> print(slicer(of_levels([4])), end="")
    # Color table file sct_rootlets
    # 2 values
    0 Background 0 0 0 0
    4 C4 0 158 115 255
    """
    listed = list(entries)
    lines = ["# Color table file sct_rootlets", f"# {len(listed) + 1} values"]
    lines.append("0 Background 0 0 0 0")
    for entry in listed:
        colours = " ".join(str(part) for part in entry.rgb)
        lines.append(f"{entry.value} {'_'.join(entry.name.split())} {colours} 255")
    return "\n".join(lines) + "\n"


#: How a look-up is written, and how its file ends, by the viewer.
FORMATS: Mapping[str, tuple[Callable[[Iterable[Entry]], str], str]] = MappingProxyType(
    {
        "fsleyes": (fsleyes, ".lut"),
        "itksnap": (itksnap, "_itksnap.txt"),
        "slicer": (slicer, ".ctbl"),
    }
)
