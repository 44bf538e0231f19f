"""Colours of everything in the figures that is no spinal level."""

from __future__ import annotations

__all__ = ["INK", "LINE", "PAPER", "QUIET"]

INK, QUIET, LINE, PAPER = "#1B2330", "#66707F", "#FFFFFF", "#F3F5F8"
