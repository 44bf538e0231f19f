"""The JSON files of a model folder, dataset.json and plans.json, read with an error that helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sct_rootlets.errors import ModelError

__all__ = ["EXPECTED", "read_json"]

#: What to do where a folder is none of a model.
EXPECTED = (
    "Give the folder that holds dataset.json, plans.json and fold_*, usually named nnUNetTrainer*"
)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a model folder, or raise a `ModelError` that names it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"the model folder has no readable {path.name}", path=path.parent, remedy=EXPECTED
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"is not valid JSON ({error})", path=path, remedy="Copy or unzip the model again"
        ) from error
    if not isinstance(content, dict):
        raise ModelError("is not a JSON object", path=path, remedy="Copy the model again")
    return content
