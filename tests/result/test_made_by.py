"""What pages say about how a result was made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sct_rootlets import __version__
from sct_rootlets.result.made_by import facts_of, made_by, seconds_and_notes


def test_notes_and_seconds_are_said_in_words() -> None:
    segmentation: Any = SimpleNamespace(notes=("in float32", "3 tiles"))
    said = seconds_and_notes(segmentation, {"loading the model": 0.26, "prediction": 1.0})
    assert said == {
        "Notes": "in float32; 3 tiles",
        "Seconds": "loading the model 0.3, prediction 1.0",
    }


def test_without_a_model_only_the_package_is_named() -> None:
    assert made_by(None) == f"sct_rootlets {__version__}"
    facts = facts_of(None, {"definition": "caudal", "extend": None})
    assert facts["sct_rootlets"] == __version__
    assert facts["definition"] == "caudal"
    assert "extend" not in facts
    assert facts["Model"] == ""
