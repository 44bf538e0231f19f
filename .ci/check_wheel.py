"""Check that a wheel holds what a user needs, and little else.

Usage: check_wheel.py WHEEL
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

LARGEST_MB = 10
MODEL = "sct_rootlets/models/compact/nnUNetTrainer__nnUNetPlans__"
NEEDED = [
    "sct_rootlets/py.typed",
    "sct_rootlets/models_manifest.json",
    *(
        f"{MODEL}{configuration}/{name}"
        for configuration in ("3d_fullres", "3d_lowres")
        for name in ("dataset.json", "plans.json", "fold_all/checkpoint_final.pth")
    ),
]


def problems(path: Path) -> list[str]:
    """Return what is wrong with the wheel at `path`, a sentence each."""
    found = []
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        found += [f"{name} is missing" for name in NEEDED if name not in names]
        strangers = {
            name.split("/")[0]
            for name in names
            if not name.startswith("sct_rootlets/") and ".dist-info/" not in name
        }
        found += [f"{name} does not belong into the wheel" for name in sorted(strangers)]
        manifest = "sct_rootlets/models_manifest.json"
        if manifest in names:
            # A wheel made from a link that was not followed holds the path it points to.
            content = wheel.read(manifest)
            if content != Path("models_manifest.json").read_bytes():
                found.append(f"{manifest} differs from the file at the top level")
            json.loads(content)
    size_mb = path.stat().st_size / 1e6
    if size_mb > LARGEST_MB:
        found.append(f"it is {size_mb:.1f} MB large, and {LARGEST_MB} MB are allowed")
    return found


if __name__ == "__main__":
    wheel_path = Path(sys.argv[1])
    wrong = problems(wheel_path)
    for sentence in wrong:
        print(f"{wheel_path.name}: {sentence}", file=sys.stderr)
    if not wrong:
        print(f"{wheel_path.name}: complete, {wheel_path.stat().st_size / 1e6:.1f} MB")
    sys.exit(bool(wrong))
