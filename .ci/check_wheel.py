"""Check that a wheel holds what a user needs, and little else.

Usage: check_wheel.py WHEEL [SDIST]

The manifest of models at the top level, in the source distribution (if it is given) and inside
the package of the wheel is one file; so is its schema, which is inside the package everywhere.
"""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from pathlib import Path

LARGEST_MB = 10
MANIFEST = "models_manifest.json"
SCHEMA = "sct_rootlets/models_manifest.schema.json"
MODEL = "sct_rootlets/models/compact/nnUNetTrainer__nnUNetPlans__"
NEEDED = [
    "sct_rootlets/py.typed",
    f"sct_rootlets/{MANIFEST}",
    SCHEMA,
    "sct_rootlets/report/assets/report.css",
    "sct_rootlets/report/assets/report.js",
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
        for name, original in ((f"sct_rootlets/{MANIFEST}", MANIFEST), (SCHEMA, SCHEMA)):
            if name in names:
                found += differences(name, wheel.read(name), original)
    size_mb = path.stat().st_size / 1e6
    if size_mb > LARGEST_MB:
        found.append(f"it is {size_mb:.1f} MB large, and {LARGEST_MB} MB are allowed")
    return found


def source_problems(path: Path) -> list[str]:
    """Return what is wrong with the manifest and schema in the sdist at `path`."""
    found = []
    with tarfile.open(path) as archive:
        members = {member.name.partition("/")[2]: member for member in archive}
        for name in (MANIFEST, SCHEMA):
            content = archive.extractfile(members[name]) if name in members else None
            if content is None:
                found.append(f"{name} is missing")
            else:
                found += differences(name, content.read(), name)
    return found


def differences(name: str, content: bytes, original: str) -> list[str]:
    """Return a sentence if `content` is not that of the file `original` in the repository."""
    if content != Path(original).read_bytes():
        return [f"{name} differs from {original} of the repository"]
    json.loads(content)
    return []


if __name__ == "__main__":
    wheel_path = Path(sys.argv[1])
    wrong = problems(wheel_path)
    wrong += [sentence for sdist in sys.argv[2:] for sentence in source_problems(Path(sdist))]
    for sentence in wrong:
        print(f"{wheel_path.name}: {sentence}", file=sys.stderr)
    if not wrong:
        print(f"{wheel_path.name}: complete, {wheel_path.stat().st_size / 1e6:.1f} MB")
    sys.exit(bool(wrong))
