"""The models there are: their versions, what their labels mean, where they come from.

``models_manifest.json`` is the one source of truth, with one immutable entry per
version of a model. This module reads it, and says what the values of an nnU-Net
``dataset.json`` mean, which the store and the engines both need.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import ModelError

__all__ = [
    "BUNDLED",
    "DEFAULT_ORIENTATION_SCT",
    "Asset",
    "InstalledModel",
    "LabelMeanings",
    "Manifest",
    "ModelEntry",
    "load_manifest",
    "read_meanings",
    "require_orientation",
]

#: Word by which the model inside this package can be named, whatever its name is.
BUNDLED = "bundled"

#: Orientation, in SCT's letters, of a rootlets model whose dataset.json names none.
DEFAULT_ORIENTATION_SCT = "LPI"

_MANIFEST_FILE = Path(__file__).with_name("models_manifest.json")

_AXIS_OF = {"L": "x", "R": "x", "P": "y", "A": "y", "I": "z", "S": "z"}

_TEXTS = ("name", "version", "title", "task", "framework", "licence", "intended_use")
_LISTS = ("contrasts", "references", "limits", "requires", "assets", "metrics", "sct_versions")


@dataclass(frozen=True)
class Asset:
    """A downloadable file of a model.

    Attributes
    ----------
    urls : tuple of str
        Mirrors, in the order they are tried. Empty for what ships with the package.
    format : str
        ``"zip"``, or ``"bundled"`` for the folder inside this package.
    sha256 : str or None
        None where no hash has been published.
    size_bytes : int or None
    """

    urls: tuple[str, ...]
    format: str
    sha256: str | None
    size_bytes: int | None


@dataclass(frozen=True)
class ModelEntry:
    """One version of one model, as the manifest describes it.

    Attributes
    ----------
    name, version, title, task, framework : str
    labels : dict of int to str
        What each value of the model's output means.
    contrasts : tuple of str
    orientation_sct : str
        Orientation the model works in, by the letters where the axes start (SCT's).
    assets : tuple of Asset
    details : dict
        Everything else the entry says: training data, published metrics with their
        source, limits, licence, references.
    """

    name: str
    version: str
    title: str
    task: str
    framework: str
    labels: dict[int, str]
    contrasts: tuple[str, ...]
    orientation_sct: str
    assets: tuple[Asset, ...]
    details: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def reference(self) -> str:
        """Name by which this version is asked for, such as ``"rootlets@r20250318"``."""
        return f"{self.name}@{self.version}"

    @property
    def is_bundled(self) -> bool:
        """Whether the model ships inside this package."""
        return any(asset.format == "bundled" for asset in self.assets)


@dataclass(frozen=True)
class Manifest:
    """Entries in the order of the file: for each name, the default version comes first."""

    entries: tuple[ModelEntry, ...]

    @property
    def bundled(self) -> ModelEntry:
        """The entry of the model inside this package."""
        return next(entry for entry in self.entries if entry.is_bundled)

    def find(self, reference: str) -> ModelEntry | None:
        """Return the entry of ``name``, ``name@version`` or ``"bundled"``, None if unknown."""
        if reference == BUNDLED:
            return self.bundled
        for entry in self.entries:
            if reference in (entry.name, entry.reference):
                return entry
        return None


@dataclass(frozen=True)
class InstalledModel:
    """A model whose files are on this disk.

    Attributes
    ----------
    name, version : str
        Of the manifest, or the folder's name and ``"unknown"`` for a folder given by path.
    folder : Path
        The nnU-Net v2 model folder: dataset.json, plans.json and fold folders. For the
        compact model that of 3d_fullres, with 3d_lowres beside it.
    sha256 : str
        Combined hash of the files that inference reads, see :func:`store.locate.folder_sha256`.
    labels : dict of int to str
        What the values of :attr:`engines.Segmentation.rootlets` mean.
    orientation_sct : str
        Orientation the model works in, by the letters where the axes start (SCT's).
    has_level_identity : bool
        Whether the values are spinal levels; otherwise every rootlet has one value.
    is_compact : bool
        Whether it is a two-step model of ours, for the compact engine.
    """

    name: str
    version: str
    folder: Path
    sha256: str
    labels: dict[int, str]
    orientation_sct: str
    has_level_identity: bool
    is_compact: bool

    @property
    def reference(self) -> str:
        """Name and version in one word, as the sidecar states it."""
        return f"{self.name}@{self.version}"


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


def load_manifest(path: str | os.PathLike[str] | None = None) -> Manifest:
    """Read a manifest of models, by default the one of this package.

    Parameters
    ----------
    path : path-like, optional
        A JSON file with a list ``models``.

    Raises
    ------
    ModelError
        If it cannot be read, or an entry lacks something; the entry is named.
    """
    where = _MANIFEST_FILE if path is None else Path(path)
    try:
        content = json.loads(where.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"the manifest of models cannot be read ({error.strerror})", path=where
        ) from error
    except ValueError as error:
        raise ModelError(f"the manifest of models is not JSON ({error})", path=where) from error
    models = content.get("models") if isinstance(content, dict) else None
    if not isinstance(models, list) or not models:
        raise ModelError('the manifest of models has no list "models"', path=where)
    entries = tuple(_entry(model, number, where) for number, model in enumerate(models, 1))
    seen: set[str] = set()
    for entry in entries:
        if entry.reference in seen:
            raise ModelError(f"lists {entry.reference} twice", path=where)
        seen.add(entry.reference)
    if path is None and sum(entry.is_bundled for entry in entries) != 1:
        raise ModelError("does not list exactly one bundled model", path=where)
    return Manifest(entries)


def _entry(model: Any, number: int, where: Path) -> ModelEntry:
    if not isinstance(model, dict):
        raise ModelError(f"entry {number} is not an object", path=where)
    label = f"entry {number} ({model.get('name', 'no name')}@{model.get('version', 'no version')})"

    def need(good: bool, what: str) -> None:
        if not good:
            raise ModelError(f"{label}: {what}", path=where)

    labels: Any = model.get("labels")
    orientation: Any = model.get("orientation")

    for key in _TEXTS:
        need(isinstance(model.get(key), str) and bool(model[key]), f'"{key}" is not a text')
    for key in _LISTS:
        need(isinstance(model.get(key), list), f'"{key}" is not a list')
    need("@" not in model["name"], '"name" contains @')
    need(bool(model["assets"]), '"assets" is empty')
    need(
        isinstance(labels, dict) and bool(labels) and all(key.isdigit() for key in labels),
        '"labels" does not map values, such as "2", to their meaning',
    )
    need(isinstance(orientation, dict), '"orientation" is not an object')
    need(orientation.get("letters") == "sct", '"orientation" does not state "letters": "sct"')
    fixed = {*_TEXTS[:5], "labels", "contrasts", "orientation", "assets"}
    return ModelEntry(
        name=model["name"],
        version=model["version"],
        title=model["title"],
        task=model["task"],
        framework=model["framework"],
        labels={int(value): str(meaning) for value, meaning in labels.items()},
        contrasts=tuple(model["contrasts"]),
        orientation_sct=require_orientation(orientation.get("value"), where),
        assets=tuple(_asset(asset, label, where) for asset in model["assets"]),
        details={key: value for key, value in model.items() if key not in fixed},
    )


def _asset(asset: Any, label: str, where: Path) -> Asset:
    good = (
        isinstance(asset, dict)
        and asset.get("format") in ("zip", "bundled")
        and isinstance(asset.get("urls"), list)
        and "sha256" in asset
    )
    if not good:
        raise ModelError(f"{label}: an asset lacks format, urls or sha256", path=where)
    sha256 = asset["sha256"]
    if sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", str(sha256)):
        raise ModelError(f"{label}: the sha256 of an asset is not 64 hex digits", path=where)
    return Asset(tuple(asset["urls"]), asset["format"], sha256, asset.get("size_bytes"))
