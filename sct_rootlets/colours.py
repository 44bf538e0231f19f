"""One fixed colour per spinal level, for figures, reports, look-up tables and the docs.

Eight colours that stay apart with the common forms of colour blindness. Seven are those
of Okabe and Ito (2008, "Color universal design", https://jfly.uni-koeln.de/color/); a
pale violet is added, since their black cannot be seen on an image. Of all orders, this is
the one whose neighbours differ most for the worst-off of the common, the red-blind and the
green-blind eye (CIE 1976 colour difference of 48 or more). The names of the levels stand
next to the colours everywhere, so that no figure has to be read by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.tables import Column, to_text

__all__ = ["LEVEL_COLOURS", "colour_of", "look_up"]

_CYCLE = (
    "#E69F00",  # C2 orange
    "#56B4E9",  # C3 sky blue
    "#009E73",  # C4 bluish green
    "#0072B2",  # C5 blue
    "#D55E00",  # C6 vermillion
    "#D9CCFF",  # C7 pale violet
    "#F0E442",  # C8 yellow
    "#CC79A7",  # T1 reddish purple
)

#: Colour, as ``#RRGGBB``, of every spinal level. C1 and the levels below T1 repeat the
#: cycle of C2-T1, so that two levels of the same colour are eight levels apart.
LEVEL_COLOURS: dict[SpinalLevel, str] = {
    level: _CYCLE[(level.value - SpinalLevel.C2.value) % len(_CYCLE)] for level in SpinalLevel
}

#: Colour of labels that are no spinal level, such as rootlets not numbered yet.
UNNUMBERED = "#B8C0CC"


def colour_of(value: int) -> str:
    """Return the colour, as ``#RRGGBB``, of a label value of rootlets or levels.

    Parameters
    ----------
    value : int
        Spinal level value (C1 = 1 ... S5 = 30).

    Returns
    -------
    str
        The level's colour, or that of unnumbered rootlets where `value` is no level.

    Examples
    --------
    >>> colour_of(SpinalLevel.C4.value)
    '#009E73'
    """
    try:
        return LEVEL_COLOURS[SpinalLevel(value)]
    except ValueError:
        return UNNUMBERED


def look_up(levels: Iterable[SpinalLevel]) -> str:
    """Return the look-up of levels in a label image, as BIDS has it: index, name, color."""
    rows = ({"index": v.value, "name": v.name, "color": LEVEL_COLOURS[v]} for v in levels)
    return to_text([Column("index"), Column("name"), Column("color")], rows)
