"""The JSON files of a model folder, dataset.json and plans.json, read with an error that helps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sct_rootlets.errors import ModelError
from sct_rootlets.files.json_files import read_object

__all__ = ["EXPECTED", "read_json"]

#: What to do where a folder is none of a model.
EXPECTED = (
    "Give the folder that holds dataset.json, plans.json and fold_*, usually named nnUNetTrainer*"
)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a model folder, or raise a `ModelError` that names it."""
    if not os.access(path, os.R_OK):
        raise ModelError(
            f"the model folder has no readable {path.name}", path=path.parent, remedy=EXPECTED
        )
    return read_object(path, error=ModelError, remedy="Copy or unzip the model again")
