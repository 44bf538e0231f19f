"""What made a result, in words: for the foot of a picture and the facts of a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sct_rootlets import __version__
from sct_rootlets.engines import Segmentation
from sct_rootlets.manifest import InstalledModel

__all__ = ["facts_of", "made_by", "seconds_and_notes"]


def facts_of(model: InstalledModel | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page says about how it was made."""
    return {
        "Model": "" if model is None else f"{model.name} {model.version}",
        "Model sha256": "" if model is None else model.sha256,
        "sct_rootlets": __version__,
        **{key: value for key, value in parameters.items() if value is not None},
    }


def made_by(model: InstalledModel | None) -> str:
    """Return what made a picture, for its foot."""
    ours = f"sct_rootlets {__version__}"
    return ours if model is None else f"{model.name} {model.version}  \N{MIDDLE DOT}  {ours}"


def seconds_and_notes(segmentation: Segmentation, timings_s: Mapping[str, float]) -> dict[str, str]:
    """Return what a page says about a prediction: the engine's notes, and seconds by stage."""
    return {
        "Notes": "; ".join(segmentation.notes),
        "Seconds": ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in timings_s.items()),
    }
