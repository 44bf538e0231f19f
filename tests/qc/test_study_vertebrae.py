"""Levels against vertebrae: what is written in the squares."""

from __future__ import annotations

from sct_rootlets.anatomy import SpinalLevel, VertebralLevel
from sct_rootlets.qc import study_vertebrae

C5, C6 = SpinalLevel.C5, SpinalLevel.C6


def test_shares_are_written_in_the_squares() -> None:
    shares = {(C5, VertebralLevel.C4): 93.75, (C5, VertebralLevel.C5): 6.25}
    figure = study_vertebrae.draw(
        title="T", subtitle="S", shares=shares, levels=[C5],
        vertebrae=[VertebralLevel.C4, VertebralLevel.C5],
    )  # fmt: skip
    assert [text.get_text() for text in figure.axes[0].texts] == ["94 %", "6 %"]
