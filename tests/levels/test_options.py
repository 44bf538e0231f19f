"""Options of the levels that are out of range, or contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import UsageError
from sct_rootlets.levels import LevelOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"definition": "bone"}, "no definition 'bone'"),
        ({"reach_mm": 0.0}, "a reach of 0 mm"),
        ({"definition": "caudal", "dilation_voxels": 2}, "-dilation"),
        ({"definition": "valosek2024", "extend": SpinalLevel.T12}, "neither extends nor"),
        ({"definition": "valosek2024", "renumber": True}, "neither extends nor"),
    ],
)
def test_contradictions(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LevelOptions(**options)
