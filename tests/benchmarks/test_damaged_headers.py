"""Damaged headers are refused or said, and none moves an image in silence."""

from __future__ import annotations

import collections
from pathlib import Path

from benchmarks.damaged_headers import OUTCOMES, in_process
from sct_rootlets.image import open_nifti


def test_none_is_silent_and_none_crashes(tmp_path: Path) -> None:
    total: collections.Counter[str] = collections.Counter()
    for counts in in_process(400, 7, tmp_path).values():
        total += counts
    assert set(total) <= set(OUTCOMES[:3]), total
    assert min(total[name] for name in OUTCOMES[:3]) > 20
    assert open_nifti(tmp_path / "whole.nii", "warp").remarks == ()
