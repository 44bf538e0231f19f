"""Figures of a study as files."""

from __future__ import annotations

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.qc.study_page import files
from tests.qc.test_study_levels import columns, draw_levels

matplotlib = pytest.importorskip("matplotlib")


C5, C6 = SpinalLevel.C5, SpinalLevel.C6


def test_the_files_hold_text_and_come_again_the_same() -> None:
    figure = draw_levels(columns(2))
    first, second = files(figure), files(figure)
    assert first == second
    assert b">note of C5<" in first["svg"]
    assert first["png"].startswith(b"\x89PNG")
