"""One engine on one image in a process of its own: ``python -m benchmarks.engine_run JSON``.

JSON holds `model`, `image`, `engine`, `threads` and perhaps `fast`, `cord`, `cache`, `output`,
`until_first_tile` and, for an nnU-Net model under OpenVINO, `precision`, which only a trial
chooses otherwise. The last line it prints is JSON: the engine's notes and every progress
report with the seconds since the process was started.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.watch import BEGUN

__all__ = ["CORD", "CSF", "combined", "main"]

#: What cord and CSF become where a model has them besides rootlets.
CORD, CSF = 101, 102


def combined(segmentation: Any) -> Any:
    """Return all classes of a :class:`sct_rootlets.engines.Segmentation` in one array."""
    import numpy as np

    values = np.array(segmentation.rootlets.data, dtype=np.uint8)
    for mask, value in ((segmentation.cord, CORD), (segmentation.csf, CSF)):
        if mask is not None:
            values[np.asarray(mask.data) > 0] = value
    return values


def main(asked: dict[str, Any]) -> None:
    begun = float(os.environ.get(BEGUN) or time.time())
    reports: list[tuple[str, int, int, float]] = []

    def say(**more: Any) -> None:
        print(json.dumps({"progress": reports, **more}), flush=True)

    def tell(stage: str, done: int, total: int) -> None:
        reports.append((stage, done, total, time.time() - begun))
        if asked.get("until_first_tile") and stage == asked["until_first_tile"] and done:
            say()
            os._exit(0)  # an exception might be taken for a failure of the engine

    from sct_rootlets.engines import load_engine
    from sct_rootlets.image import load_image, load_mask, save
    from sct_rootlets.store import locate

    cache = asked.get("cache")
    model = locate(asked["model"])
    tell("the imports are done", 0, 1)
    kept = Path(cache) if cache else None
    if asked.get("precision"):
        from sct_rootlets.engines.networks.backends import OpenVINOBackend
        from sct_rootlets.engines.sliding import SlidingEngine

        backend = OpenVINOBackend(kept, asked["precision"], asked["threads"])
        engine: Any = SlidingEngine(model, backend)
    else:
        engine = load_engine(
            model,
            device="cpu",
            threads=asked["threads"],
            engine=asked["engine"],
            fast=asked.get("fast", False),
            cache=kept,
        )
    tell("the engine is loaded", 0, 1)
    image = load_image(asked["image"])
    cord = load_mask(asked["cord"]) if asked.get("cord") else None
    found = engine.predict(image, cord=cord, progress=tell)
    tell("the image is predicted", 0, 1)
    if asked.get("output"):
        save(found.rootlets.with_data(combined(found)), asked["output"])
    say(notes=found.notes, meanings=found.meanings)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
