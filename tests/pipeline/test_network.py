"""How the network is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sct_rootlets.pipeline import Settings, run, segment, segment_many
from tests.synthetic import Neck


def test_the_engine_is_told_how_and_where_it_may_keep_networks(
    neck: Neck, loads: list[Any], store_home: Path
) -> None:
    cache = {"cache": store_home / "compiled"}
    run(neck.image)
    settings = Settings("cpu", 2, "openvino", fast=True, mirror=True)
    run(neck.image, settings=settings)
    segment(neck.image, settings=settings)
    list(segment_many([neck.image], settings=settings))
    finders = [wish.pop("finder") for _, wish in loads]
    told = ("cpu", 2), {"engine": "openvino", "fast": True, "mirror": True, **cache}
    plain = ("auto", None), {"engine": "auto", "fast": False, "mirror": False, **cache}
    assert loads == [plain, *[told] * 3]
    assert finders == [None] * 4  # the bundled model finds the cord by itself
    assert not cache["cache"].exists()  # the engine's to make
