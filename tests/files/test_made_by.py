"""What a sidecar says of how a file was made."""

from __future__ import annotations

from typing import Any

import pytest

from sct_rootlets.files.made_by import (
    hashes_in,
    maker_in,
    parameters_in,
    sources_in,
    unreadable_in,
)


def test_what_is_there_is_returned() -> None:
    maker = {"Name": "sct_rootlets", "Parameters": {"definition": "caudal"}}
    content = {"GeneratedBy": [maker], "Sources": ["a.nii.gz"], "SourceSHA256": {"a.nii.gz": "0"}}
    assert maker_in(content) == maker
    assert parameters_in(content) == {"definition": "caudal"}
    assert sources_in(content) == ["a.nii.gz"]
    assert hashes_in(content) == {"a.nii.gz": "0"}
    assert not unreadable_in(content)


@pytest.mark.parametrize("value", [None, 3, "x", True, [], [3], [None], ["a", 3], {}, {"a": 1}])
def test_what_makes_no_sense_is_nothing(value: Any) -> None:
    content = dict.fromkeys(("GeneratedBy", "Sources"), value) | {"SourceSHA256": [value]}
    assert not maker_in(content)
    assert not parameters_in(content)
    assert not parameters_in({"GeneratedBy": [{"Parameters": [value]}]})
    assert not sources_in(content)
    assert not hashes_in(content)
    assert unreadable_in(content) == [
        *(["GeneratedBy", "Sources"] if value else []),
        "SourceSHA256",
    ]
    assert unreadable_in({"GeneratedBy": [{"Parameters": value}]}) == (
        ["Parameters"] if value and value != {"a": 1} else []
    )
