"""The words of the field: spinal levels, vertebral levels, discs, sides, sectors.

A spinal level (a segment of the cord) and a vertebral level (a bone) share their
letters and not their numbers: the integer 8 is spinal C8 in one convention and
vertebral T1 in the other. They are two enumerations here that do not compare with
each other, and a bare integer becomes one of them where a file is read.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

__all__ = [
    "DISC_C2C3",
    "PLACES",
    "PMJ_LABEL",
    "ROOTLET_LEVELS",
    "Sector",
    "Side",
    "SpinalLevel",
    "VertebralLevel",
    "disc_name",
]

_L = TypeVar("_L", bound="_Level")


class _Level(Enum):
    """Enumeration ordered from rostral to caudal, within its own kind only."""

    def __lt__(self: _L, other: _L) -> bool:
        return self.value < other.value if type(other) is type(self) else NotImplemented

    def __le__(self: _L, other: _L) -> bool:
        return self.value <= other.value if type(other) is type(self) else NotImplemented

    def __gt__(self: _L, other: _L) -> bool:
        return self.value > other.value if type(other) is type(self) else NotImplemented

    def __ge__(self: _L, other: _L) -> bool:
        return self.value >= other.value if type(other) is type(self) else NotImplemented

    def __str__(self) -> str:
        return self.name

    def shifted(self: _L, steps: int) -> _L | None:
        """Return the level `steps` further caudal (negative: rostral), None past the end."""
        try:
            return type(self)(self.value + steps)
        except ValueError:
            return None


class SpinalLevel(_Level):
    """Spinal level, a segment of the cord, by the value it has in label images."""

    C1, C2, C3, C4, C5, C6, C7, C8 = range(1, 9)
    T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12 = range(9, 21)
    L1, L2, L3, L4, L5 = range(21, 26)
    S1, S2, S3, S4, S5 = range(26, 31)


class VertebralLevel(_Level):
    """Vertebral level, a bone, by the value it has in label images."""

    C1, C2, C3, C4, C5, C6, C7 = range(1, 8)
    T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12 = range(8, 20)
    L1, L2, L3, L4, L5 = range(20, 25)
    S1, S2, S3, S4, S5 = range(25, 30)


class Side(Enum):
    """Side of the subject's body."""

    LEFT = "L"
    RIGHT = "R"


class Sector(Enum):
    """Dorsal (sensory) or ventral (motor) half of the cord."""

    DORSAL = "D"
    VENTRAL = "V"


#: Levels whose rootlets the models segment, rostral to caudal.
ROOTLET_LEVELS: tuple[SpinalLevel, ...] = tuple(SpinalLevel(v) for v in range(2, 10))

#: What of a level may be a single point.
PLACES = ("midpoint", "rostral", "caudal")

#: Disc label of C2/C3. Disc label N is the posterior tip of the disc above vertebra N.
DISC_C2C3 = 3

#: Label of the pontomedullary junction (PMJ) in files of disc labels.
PMJ_LABEL = 50


def disc_name(label: int) -> str:
    """Return the usual name of a disc label, such as ``"C2/C3"`` for 3.

    Raises
    ------
    ValueError
        For a label that is no disc (discs are 2, C1/C2, to 25, L5/S1).

    Examples
    --------
    >>> disc_name(3), disc_name(8)
    ('C2/C3', 'C7/T1')
    """
    if not 2 <= label <= 25:
        raise ValueError(f"{label} is not a disc label (2, C1/C2, to 25, L5/S1)")
    return f"{VertebralLevel(label - 1)}/{VertebralLevel(label)}"
