"""What the values of an nnU-Net model mean, by the names in its ``dataset.json``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import ModelError

__all__ = ["DEFAULT_ORIENTATION_SCT", "LabelMeanings", "read_meanings", "require_orientation"]

#: Orientation, in SCT's letters, of a rootlets model whose dataset.json names none.
DEFAULT_ORIENTATION_SCT = "LPI"

_AXIS_OF = {"L": "x", "R": "x", "P": "y", "A": "y", "I": "z", "S": "z"}


@dataclass(frozen=True)
class LabelMeanings:
    """What the values of a model's output mean.

    Attributes
    ----------
    rootlet_value_of : dict of int to int
        From a value of the network to the value in the rootlets image: the spinal level,
        or 1 for a model that does not tell levels apart.
    cord, csf : int or None
        Network values of the spinal cord and the cerebrospinal fluid, where it has them.
    has_level_identity : bool
    """

    rootlet_value_of: dict[int, int]
    cord: int | None
    csf: int | None
    has_level_identity: bool

    @property
    def names(self) -> dict[int, str]:
        """Meaning of each value of the rootlets image."""
        if not self.has_level_identity:
            return {1: "spinal nerve rootlets, level not told apart"}
        levels = sorted(self.rootlet_value_of.values())
        return {value: f"{SpinalLevel(value)} spinal nerve rootlets" for value in levels}


def read_meanings(dataset: Mapping[str, Any], path: str | os.PathLike[str]) -> LabelMeanings:
    """Say what the classes of an nnU-Net ``dataset.json`` mean, by their names.

    ``lvl5`` (SCT's and the official releases' name), ``C5`` and any name that ends with
    its own value are the rootlets of a spinal level; ``cord`` and ``csf`` are those;
    ``rootlet`` is every rootlet, and so is a single class of any name.

    Parameters
    ----------
    dataset : mapping
        Content of dataset.json.
    path : path-like
        Where it was read, for messages.

    Raises
    ------
    ModelError
        If there are no labels, or none of them can be rootlets.
    """
    labels = dataset.get("labels")
    if not isinstance(labels, Mapping):
        raise ModelError('states no "labels"', path=path, remedy="Give an nnU-Net v2 model")
    if any(not isinstance(value, int) for value in labels.values()):
        raise ModelError("has labels made of regions, which rootlets models do not have", path=path)
    values = {str(name).strip(): value for name, value in labels.items() if value != 0}
    values.pop("ignore", None)
    levels: dict[int, int] = {}
    others: dict[str, int] = {}
    for name, value in values.items():
        level = _level_of(name, value)
        if level is None:
            others[name.lower()] = value
        else:
            levels[value] = level.value
    cord = next((v for n, v in others.items() if n in ("cord", "sc", "spinal_cord")), None)
    csf = next((v for n, v in others.items() if n == "csf"), None)
    if levels:
        return LabelMeanings(levels, cord, csf, True)
    rest = {name: value for name, value in others.items() if value not in (cord, csf)}
    plain = [value for name, value in rest.items() if "root" in name]
    if not plain and len(others) == 1 and rest:
        plain = list(rest.values())
    if not plain:
        known = ", ".join(map(str, labels)) or "none"
        raise ModelError(
            f"has no label that can be rootlets (it has {known})",
            path=path,
            remedy="Labels are named lvl2, lvl3, ... or C2, C3, ..., or rootlets",
        )
    return LabelMeanings(dict.fromkeys(plain, 1), cord, csf, False)


def _level_of(name: str, value: int) -> SpinalLevel | None:
    match = re.fullmatch(r"(?:lvl|level)[_ -]?(\d+)", name, re.IGNORECASE)
    if match is None and name.upper() in SpinalLevel.__members__:
        return SpinalLevel[name.upper()]
    number = int(match[1]) if match else 0
    if match is None:
        ending = re.search(r"(\d+)$", name)
        if ending is not None and int(ending[1]) == value:
            number = value
    return SpinalLevel(number) if 1 <= number <= len(SpinalLevel) else None


def require_orientation(letters: object, path: str | os.PathLike[str]) -> str:
    """Return three orientation letters in upper case, or raise a `ModelError`."""
    text = str(letters).upper()
    if sorted(_AXIS_OF.get(letter, "?") for letter in text) != ["x", "y", "z"]:
        raise ModelError(
            f"states the orientation {letters!r}, which is not three letters such as LPI",
            path=path,
        )
    return text
