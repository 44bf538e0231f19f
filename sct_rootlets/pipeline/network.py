"""The network of a run: which model, how it is run, and how long each stage took."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Union

from sct_rootlets.engines import Engine, Progress, load_engine
from sct_rootlets.manifest import BUNDLED, InstalledModel
from sct_rootlets.store import Choice, locate, stores

__all__ = ["ModelLike", "Settings", "located", "timed"]

ModelLike = Union[str, "os.PathLike[str]", Choice, InstalledModel]


@dataclass(frozen=True)
class Settings:
    """How a network is run, as :func:`sct_rootlets.engines.load_engine` takes it."""

    device: str = "auto"
    threads: int | None = None
    engine: str = "auto"
    fast: bool = False
    mirror: bool = False

    def load(
        self, model: InstalledModel, progress: Progress | None, timings_s: dict[str, float]
    ) -> Engine:
        """Load `model`; options and errors as :func:`sct_rootlets.engines.load_engine` has them."""
        *shared, own = stores()
        with timed("loading the model", timings_s, progress):
            return load_engine(
                model,
                self.device,
                self.threads,
                engine=self.engine,
                fast=self.fast,
                mirror=self.mirror,
                cache=own.compiled,
                shared=[store.compiled for store in shared],
                finder=None if model.is_compact else locate(BUNDLED),
            )

    @property
    def parameters(self) -> dict[str, Any]:
        """What of it a result may depend on, as plain values for a JSON file."""
        return {
            "device": self.device,
            "engine": self.engine,
            "fast": self.fast,
            "mirror": self.mirror,
        }


def located(model: ModelLike, progress: Progress | None) -> InstalledModel:
    """Return the model, installed if it is not yet.

    Raises
    ------
    ModelError, RootletsError
        As :func:`sct_rootlets.store.locate` has them.
    """
    if isinstance(model, InstalledModel):
        return model
    if isinstance(model, Choice):
        return model.locate(progress)
    return locate(model, progress=progress)


@contextmanager
def timed(
    stage: str, timings_s: dict[str, float], progress: Progress | None = None
) -> Iterator[None]:
    """Note in `timings_s` the seconds that a stage takes, and tell of its start and end."""
    start = time.perf_counter()
    if progress is not None:
        progress(stage, 0, 1)
    yield
    timings_s[stage] = time.perf_counter() - start
    if progress is not None:
        progress(stage, 1, 1)
