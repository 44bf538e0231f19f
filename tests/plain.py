"""Figures as plain as can be, for the many tests that look at other files."""

from __future__ import annotations

from typing import Any

import pytest


def plain_figures(patch: pytest.MonkeyPatch) -> None:
    """Draw one empty panel for every figure and every mosaic: a real one takes a second."""
    from sct_rootlets.qc import figure, mosaic

    def panel(**_: Any) -> Any:
        drawn = figure.figure_class()(figsize=(2, 2), dpi=50)
        drawn.add_axes((0, 0, 1, 1)).set_axis_off()
        return drawn

    def layers(*_: Any, **__: Any) -> mosaic.Mosaic:
        png = figure.png(panel())
        return mosaic.Mosaic(png, png)

    patch.setattr(figure, "draw", panel)
    patch.setattr(mosaic, "draw", layers)
