"""Which checkpoints of a model folder are used."""

from __future__ import annotations

from pathlib import Path

from sct_rootlets.checkpoint import CHECKPOINTS, converted_files
from sct_rootlets.errors import ModelError

__all__ = ["checkpoint_files"]


def checkpoint_files(folder: Path) -> list[Path]:
    """Return the checkpoints to average: that of fold_all alone, else every fold's.

    fold_all was trained on all the data, so that the single folds add time and little
    else. Each is named by its ``.pth``, also where only what the store made of it is there.
    """
    found = [
        next((fold / name for name in CHECKPOINTS if _is_there(fold / name)), None)
        for fold in [folder / "fold_all", *sorted(folder.glob("fold_[0-9]*"))]
    ]
    paths = [path for path in found if path is not None]
    if not paths:
        raise ModelError("has no checkpoint in any fold", path=folder)
    return paths[:1] if paths[0].parent.name == "fold_all" else paths


def _is_there(path: Path) -> bool:
    return path.is_file() or all(part.is_file() for part in converted_files(path))
