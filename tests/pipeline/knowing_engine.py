"""An engine that knows the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sct_rootlets.deepseg import flow
from sct_rootlets.engines import Segmentation
from sct_rootlets.image import LabelImage
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import LabelMeanings
from sct_rootlets.pipeline import network
from tests.synthetic import Neck

__all__ = ["Knowing", "KnowingEngine", "use_engine"]


class KnowingEngine:
    """Returns the truth of a synthetic neck in place of a prediction, for a model of its own."""

    def __init__(self, neck: Neck, *, identity: bool = True, cord: bool = True) -> None:
        self.neck, self.identity, self.cord = neck, identity, cord
        values = {k: k for k in (3, 4, 5, 6)} if identity else {1: 1}
        meanings = LabelMeanings(values, None, None, identity)
        self.model = InstalledModel(
            "knowing", "1.0", Path("nowhere"), "cd" * 32, meanings, "LPI", cord, ("fold_all/a.pth",)
        )
        self.given_cord: LabelImage | None = None

    def predict(self, image: Any, *, cord: Any = None, progress: Any = None) -> Segmentation:
        self.given_cord = cord
        if progress is not None:
            progress("segmenting", 1, 1)
        values = self.neck.rootlets.data
        rootlets = image.with_data(values if self.identity else (values > 0).astype(int))
        return Segmentation(
            LabelImage(rootlets.data, image.grid, image.header, image.path),
            self.neck.cord if self.cord else None,
            None,
            self.identity,
            {},
            ["a note of the engine"],
        )


#: Puts such an engine in place of the bundled one, and returns it.
Knowing = Callable[..., KnowingEngine]


def use_engine(
    monkeypatch: pytest.MonkeyPatch, neck: Neck, *, identity: bool = True, cord: bool = True
) -> KnowingEngine:
    """Put an engine that knows a neck in place of the bundled one, which makes a `cord` mask."""
    engine = KnowingEngine(neck, identity=identity, cord=cord)
    monkeypatch.setattr(network, "located", lambda reference, progress: engine.model)
    monkeypatch.setattr(network, "load_engine", lambda *a, **k: engine)
    monkeypatch.setattr(flow, "located", lambda choice, say, progress: engine.model)
    return engine
