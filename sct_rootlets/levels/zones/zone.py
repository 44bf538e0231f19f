"""The entry zone of one level, as the rootlets show it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Zone"]


@dataclass(frozen=True)
class Zone:
    """Entry zone of one level along the cord.

    Attributes
    ----------
    rostral_mm, caudal_mm : float
        Its ends; where the field of view cuts it, the end of what is seen.
    rostral_sd_mm, caudal_sd_mm : float
        Their standard deviations.
    cut_rostral, cut_caudal : bool
        Whether the field of view ends there, so that the zone may go on.
    flags, notes : tuple of str
        As in `LevelRow`.
    """

    rostral_mm: float
    caudal_mm: float
    rostral_sd_mm: float = 0.5
    caudal_sd_mm: float = 0.5
    cut_rostral: bool = False
    cut_caudal: bool = False
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
