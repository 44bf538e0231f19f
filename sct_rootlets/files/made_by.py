"""What a JSON sidecar says of how a file was made, whatever else anybody wrote into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["hashes_in", "maker_in", "parameters_in", "sources_in", "unreadable_in"]


def maker_in(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first entry of ``GeneratedBy``; empty where there is none.

    Examples
    --------
    >>> maker_in({"GeneratedBy": [{"Name": "sct_rootlets"}]}), maker_in({"GeneratedBy": 3})
    ({'Name': 'sct_rootlets'}, {})
    """
    makers = content.get("GeneratedBy")
    return _mapping(makers[0] if isinstance(makers, list) and makers else None)


def parameters_in(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the file was asked for; empty where it is not said."""
    return _mapping(maker_in(content).get("Parameters"))


def sources_in(content: Mapping[str, Any]) -> list[str]:
    """Return the files it was made of, as seen from its folder; none where it is not said."""
    sources = content.get("Sources")
    is_named = isinstance(sources, list) and all(isinstance(one, str) for one in sources)
    return list(sources) if sources and is_named else []


def hashes_in(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the sha256 of its sources by their names; empty where it is not said."""
    return _mapping(content.get("SourceSHA256"))


def unreadable_in(content: Mapping[str, Any]) -> list[str]:
    """Return the keys of all this that are there and hold something else."""
    read = {"GeneratedBy": maker_in, "Sources": sources_in, "SourceSHA256": hashes_in}
    found = [key for key, of in read.items() if content.get(key) and not of(content)]
    if not found and "Parameters" in maker_in(content) and not parameters_in(content):
        found += ["Parameters"] if maker_in(content)["Parameters"] else []
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
