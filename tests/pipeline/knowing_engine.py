"""An engine that knows the answer."""

from __future__ import annotations

from typing import Any

from sct_rootlets.engines import Segmentation
from sct_rootlets.image import LabelImage
from tests.synthetic import Neck

__all__ = ["KnowingEngine"]


class KnowingEngine:
    """Returns the truth of a synthetic neck in place of a prediction."""

    def __init__(self, neck: Neck, *, identity: bool, cord: bool = True) -> None:
        self.neck, self.identity, self.cord = neck, identity, cord
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
