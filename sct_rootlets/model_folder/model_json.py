"""The JSON files of a model folder, dataset.json and plans.json, as somebody else wrote them.

A file, a number or a nesting that no model needs is refused before anything works on it, and
what a message shows of a value is short and plain.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from sct_rootlets.errors import ModelError
from sct_rootlets.files.json_files import read_object

__all__ = ["AGAIN", "EXPECTED", "is_number", "is_whole", "read_json", "shown"]

#: What to do where a folder is none of a model.
EXPECTED = (
    "Give the folder that holds dataset.json, plans.json and fold_*, usually named nnUNetTrainer*"
)

#: What to do where a file is damaged.
AGAIN = "Copy or unzip the model again"

#: A dataset.json that lists thousands of images has one or two million bytes.
_MOST_BYTES = 16 << 20

#: nnU-Net nests a tenth of this.
_MOST_LEVELS = 50


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a model folder, or raise a `ModelError` that names it."""
    if not (os.path.isfile(path) and os.access(path, os.R_OK)):  # False also where it is hidden
        raise ModelError(
            f"the model folder has no readable {path.name}", path=path.parent, remedy=EXPECTED
        )
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise ModelError(
            f"has {size} bytes, which no model needs ({_MOST_BYTES} are read)",
            path=path,
            remedy=AGAIN,
        )
    content = read_object(path, error=ModelError, remedy=AGAIN)
    if _is_deep(content):
        raise ModelError(
            f"is nested in more than {_MOST_LEVELS} levels, which no model needs",
            path=path,
            remedy=AGAIN,
        )
    return content


def _is_deep(content: Any) -> bool:
    level = [content]
    for _ in range(_MOST_LEVELS):
        inside: list[Any] = []
        for each in level:
            if isinstance(each, (dict, list)):
                inside += each.values() if isinstance(each, dict) else each
        level = inside
    return bool(level)


def shown(value: object) -> str:
    """Return a value as JSON writes it, cut where it is long, for a message.

    Examples
    --------
    >>> shown(None), shown([1, 2.5]), shown("x" * 100)[-5:]
    ('null', '[1, 2.5]', 'xx...')
    """
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        text = type(value).__name__
    return text if len(text) <= 80 else f"{text[:77]}..."


def is_whole(value: object, low: int, high: int) -> bool:
    """Whether a value is a whole number from `low` to `high`; true and false are none."""
    return type(value) is int and low <= value <= high


def is_number(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether a value is a finite number from `low` to `high`; true and false are none."""
    return type(value) in (int, float) and low <= value <= high and abs(value) < math.inf  # type: ignore[operator, arg-type]
