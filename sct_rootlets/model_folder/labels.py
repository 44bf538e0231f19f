"""What the values of an nnU-Net model mean, by the names in its ``dataset.json``.

nnU-Net's answer for a voxel is the number of the highest score. It is the value of a label
because the values are 0, 1, 2, ... without a gap, which nnU-Net checks before a training and
not after it. For labels of regions it is what ``regions_class_order`` has for the region.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder.model_json import is_whole, shown

__all__ = [
    "DEFAULT_ORIENTATION_SCT",
    "LabelMeanings",
    "Labels",
    "meanings_of",
    "read_labels",
    "require_orientation",
]

logger = logging.getLogger(__name__)

#: Orientation, in SCT's letters, of a rootlets model whose dataset.json names none.
DEFAULT_ORIENTATION_SCT = "LPI"

_AXIS_OF = {"L": "x", "R": "x", "P": "y", "A": "y", "I": "z", "S": "z"}

#: More labels than any body has parts.
_MOST_LABELS = 1000

#: A single class of such a name is no rootlets.
_OTHER_PART = re.compile(r"vert|dis[ck]|body|bone|lesion|tumou?r|cord|canal|csf|[0-9]$")

_CORD = ("cord", "sc", "spinal_cord")
_CSF = "csf"

_REMEDY = (
    "Labels have the values 0, 1, 2, ..., and the names lvl2, lvl3, ... or C2, C3, ..., or rootlets"
)


@dataclass(frozen=True)
class Labels:
    """The labels of a dataset.json.

    Attributes
    ----------
    value_of : dict of str to int
        From the name of each label, but the background, to its value in nnU-Net's answer.
    classes : int
        Scores that the network gives for a voxel, the background's included where there is one.
    has_regions : bool
        Whether labels are regions, which may overlap: each has a score of its own.
    """

    value_of: dict[str, int]
    classes: int
    has_regions: bool


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


def meanings_of(
    labels: Labels,
    path: str | os.PathLike[str],
    stated: Mapping[int, SpinalLevel] | None = None,
) -> LabelMeanings:
    """Say what the labels of an nnU-Net ``dataset.json`` mean, by their names.

    ``lvl5`` (SCT's and the official releases' name), ``level_5`` and ``C5`` are the rootlets of
    a spinal level; ``cord`` and ``csf`` are those; ``rootlet`` is every rootlet, and so is a
    single class whose name is of nothing else.

    Parameters
    ----------
    labels : Labels
    path : path-like
        Of the dataset.json, for messages.
    stated : mapping of int to SpinalLevel, optional
        What a manifest says of the values of the output; it counts where a name says nothing.

    Raises
    ------
    ModelError
        If none of them can be rootlets.
    """
    levels: dict[int, int] = {}
    others: dict[str, int] = {}
    for name, value in labels.value_of.items():
        level = _level_of(name, value, stated or {}, path)
        if level is None:
            others[name.lower()] = value
        elif levels.setdefault(value, level.value) != level.value:
            both = f"{SpinalLevel(levels[value])} and {level}"
            raise _refused(f"gives the value {value} to {both}", path)
    cord = next((v for n, v in others.items() if n in _CORD), None)
    csf = next((v for n, v in others.items() if n == _CSF), None)
    if levels:
        spinal = {name.upper() for name in labels.value_of}
        if {"C7", "T1"} <= spinal and "C8" not in spinal:
            raise _refused("names C7 and T1 without C8: vertebrae are counted so", path)
        return LabelMeanings(levels, cord, csf, True)
    rest = {name: value for name, value in others.items() if value not in (cord, csf)}
    plain = [value for name, value in rest.items() if "root" in name]
    if not plain and len(others) == 1 and not any(map(_OTHER_PART.search, rest)):
        plain = list(rest.values())
    if not plain:
        known = shown(list(labels.value_of))
        raise _refused(f"has no label that can be rootlets (it has {known})", path)
    return LabelMeanings(dict.fromkeys(plain, 1), cord, csf, False)


def read_labels(dataset: Mapping[str, Any], path: str | os.PathLike[str]) -> Labels:
    """Return the labels of the dataset.json at `path`.

    Raises
    ------
    ModelError
        If they are none that nnU-Net trains with.
    """
    labels = dataset.get("labels")
    if not isinstance(labels, dict):
        raise ModelError('states no "labels"', path=path, remedy="Give an nnU-Net v2 model")
    if len(labels) > _MOST_LABELS:
        raise _refused(f"names {len(labels)} labels", path)
    for name, value in labels.items():
        several = value if isinstance(value, list) else [value]
        if not several or not all(is_whole(each, 0, _MOST_LABELS) for each in several):
            raise _refused(f"gives the label {shown(name)} the value {shown(value)}", path)
    if labels.get("background") != 0:
        given = shown(labels.get("background"))
        raise _refused(f'gives the label "background" the value {given}, not 0', path)
    used = {name: value for name, value in labels.items() if name not in ("background", "ignore")}
    known = {0}
    for value in used.values():
        known.update(value if isinstance(value, list) else [value])
    ignored = labels.get("ignore")
    if ignored is not None and ignored != max(known) + 1:
        given = shown(ignored)
        raise _refused(f'gives the label "ignore" the value {given}, not {max(known) + 1}', path)
    if any(isinstance(value, list) and len(value) > 1 for value in used.values()):
        return _regions(used, dataset.get("regions_class_order"), path)
    missing = sorted({*range(max(known))} - known)
    if missing:
        gap = ", ".join(map(str, missing[:5]))
        raise _refused(
            f"has a gap in the values of its labels: none has the value {gap}, and one "
            f"{max(known)}; what nnU-Net calls a voxel is no label's value then",
            path,
        )
    single = {name: value[0] if isinstance(value, list) else value for name, value in used.items()}
    return Labels(_named({name: v for name, v in single.items() if v}, path), len(known), False)


def _regions(used: Mapping[str, Any], order: object, path: str | os.PathLike[str]) -> Labels:
    regions = [name for name, value in used.items() if value not in (0, [0])]
    whole = isinstance(order, list) and all(is_whole(value, 1, 255) for value in order)
    if not isinstance(order, list) or not whole or len(order) != len(regions):
        raise _refused(
            f"has labels of {len(regions)} regions and the regions_class_order {shown(order)}, "
            "which has to be a value from 1 for each",
            path,
        )
    return Labels(_named(dict(zip(regions, order, strict=True)), path), len(regions), True)


def _named(values: Mapping[str, int], path: str | os.PathLike[str]) -> dict[str, int]:
    named = {name.strip(): value for name, value in values.items()}
    if len(named) < len(values):
        raise _refused(f"has two labels of one name ({shown(list(values))})", path)
    return named


def _level_of(
    name: str, value: int, stated: Mapping[int, SpinalLevel], path: str | os.PathLike[str]
) -> SpinalLevel | None:
    """Return the spinal level that a label's name means, else what is stated of its value."""
    if name.lower() in (*_CORD, _CSF):
        return None
    match = re.fullmatch(r"(?:lvl|level)[_ -]?([0-9]+)", name, re.IGNORECASE)
    if match is None and name.upper() not in SpinalLevel.__members__:
        return stated.get(value)
    if match is None:
        level = SpinalLevel[name.upper()]
    elif len(match[1]) < 4 and 1 <= int(match[1]) <= len(SpinalLevel):
        level = SpinalLevel(int(match[1]))
    else:
        raise _refused(f"has the label {shown(name)}, which is no spinal level", path)
    if stated.get(value, level) is not level:
        logger.warning(
            "%s: calls the value %d %s, and the manifest calls it %s: the former counts",
            path,
            value,
            level,
            stated[value],
        )
    return level


def _refused(problem: str, path: str | os.PathLike[str]) -> ModelError:
    return ModelError(problem, path=path, remedy=_REMEDY)


def require_orientation(letters: object, path: str | os.PathLike[str]) -> str:
    """Return three orientation letters in upper case, or raise a `ModelError`."""
    text = letters.upper() if isinstance(letters, str) else ""
    if sorted(_AXIS_OF.get(letter, "?") for letter in text[:4]) != ["x", "y", "z"]:
        raise ModelError(
            f"states the orientation {shown(letters)}, which is not three letters such as LPI",
            path=path,
        )
    return text
