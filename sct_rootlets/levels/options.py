"""How levels are derived: the options of every definition, checked against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import UsageError
from sct_rootlets.levels import valosek2024
from sct_rootlets.levels.definitions import DEFINITIONS
from sct_rootlets.levels.zones.entry_zones import REACH_MM

__all__ = ["LevelOptions"]


@dataclass(frozen=True)
class LevelOptions:
    """How levels are derived.

    Attributes
    ----------
    definition : str
        ``"caudal"``, ``"extent"``, ``"midgap"`` or ``"valosek2024"``; see docs/definitions.md.
    reach_mm : float
        Largest distance from the cord surface at which rootlets count as entering it; of no use
        to ``valosek2024``.
    dilation_voxels : int or None
        By which ``valosek2024`` dilates the cord, 3 if None; of no use to other definitions.
    extend : SpinalLevel or None
        Last level of the table, extrapolated to it. By default T1, and nothing extrapolated.
    renumber : bool
        Apply the likeliest numbering of the rootlets, where vertebrae contradict theirs.
    axial : bool
        Paint whole axial slices.

    Raises
    ------
    UsageError
        If one of them is out of range, or they contradict each other.
    """

    definition: str = "caudal"
    reach_mm: float = REACH_MM
    dilation_voxels: int | None = None
    extend: SpinalLevel | None = None
    renumber: bool = False
    axial: bool = False

    def __post_init__(self) -> None:
        names = (*DEFINITIONS, valosek2024.DEFINITION)
        if self.definition not in names:
            raise UsageError(
                f"there is no definition {self.definition!r}",
                remedy=f"Choose one of {', '.join(names)}",
            )
        if not self.is_published and not 0 < self.reach_mm < 20:
            raise UsageError(
                f"a reach of {self.reach_mm:g} mm is out of range", remedy="1.5 mm is usual"
            )
        if self.dilation_voxels is not None and not self.is_published:
            raise UsageError(
                f"the definition '{self.definition}' dilates nothing",
                remedy=f"Leave -dilation away, or choose -definition {valosek2024.DEFINITION}",
            )
        if self.is_published and (self.extend is not None or self.renumber):
            raise UsageError(
                f"the published method ({valosek2024.DEFINITION}) neither extends nor renumbers",
                remedy="Leave -extend and -renumber away, or choose another -definition",
            )

    @property
    def is_published(self) -> bool:
        """Whether the published voxel method is asked for."""
        return self.definition == valosek2024.DEFINITION

    @property
    def dilation(self) -> int:
        """By how many voxels the published method dilates the cord."""
        if self.dilation_voxels is None:
            return valosek2024.DILATION_VOXELS
        return self.dilation_voxels

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything, as plain values for a JSON file."""
        return {
            "definition": self.definition,
            "reach_mm": None if self.is_published else self.reach_mm,
            "dilation_voxels": self.dilation if self.is_published else None,
            "extend": None if self.extend is None else str(self.extend),
            "renumber": self.renumber,
            "axial": self.axial,
        }
