"""Time each stage of one run on a phantom, single process: ``python benchmarks/stages.py``.

Prints seconds of wall clock by stage and the peak memory of the process. It makes no
comparison with a peer yet.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-seed", type=int, default=2)
    parser.add_argument("-spacing", type=float, default=0.8)
    parser.add_argument("-threads", type=int)
    args = parser.parse_args()
    begun = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal begun
        now = time.perf_counter()
        print(f"{name:24} {now - begun:6.2f} s")
        begun = now

    from sct_rootlets import phantom
    from sct_rootlets.engines import load_engine
    from sct_rootlets.image import load_image, load_labels
    from sct_rootlets.inputs import LandmarkImages
    from sct_rootlets.levels import derive
    from sct_rootlets.store import locate

    lap("import")
    with tempfile.TemporaryDirectory() as folder:
        paths = phantom.write(Path(folder), args.seed, spacing_mm=(args.spacing,) * 3)
        lap("phantom")
        image, discs = load_image(paths["image"]), load_labels(paths["discs"])
        lap("load image")
        engine = load_engine(locate("bundled"), threads=args.threads)
        lap("load model")
        found = engine.predict(image)
        lap("segment")
        derive(found.rootlets, found.cord, LandmarkImages(discs), has_level_identity=False)
        lap("derive levels")
    scale = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    print(f"{'peak memory':24} {peak / 1e9:6.2f} GB")


if __name__ == "__main__":
    main()
