"""What is known of a model: as the manifest describes it, and once it is on this disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sct_rootlets.anatomy import Sector, Side, SpinalLevel
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder import LabelMeanings

__all__ = ["BUNDLED", "Asset", "InstalledModel", "LabelMeaning", "Manifest", "ModelEntry"]

#: Word by which the model inside this package can be named, whatever its name is.
BUNDLED = "bundled"


@dataclass(frozen=True)
class Asset:
    """A downloadable file of a model.

    Attributes
    ----------
    urls : tuple of str
        Mirrors, in the order they are tried. Empty for what ships with the package.
    format : str
        ``"zip"``, ``"tar.gz"``, or ``"bundled"`` for the folder inside this package.
    sha256 : str or None
        Of the file. None where no hash has been published.
    size_bytes : int or None
        Of the file. None where it is not published.
    unpacked_bytes : int or None
        What the unpacked files take on the disk in addition to the file. None where it
        is not published.
    """

    urls: tuple[str, ...]
    format: str
    sha256: str | None
    size_bytes: int | None
    unpacked_bytes: int | None = None


@dataclass(frozen=True)
class LabelMeaning:
    """What one value of a model's output means.

    Attributes
    ----------
    text : str
        The meaning in words.
    level : SpinalLevel or None
        None for a value that is not a spinal level.
    sectors : tuple of Sector
        Whose rootlets the value covers; empty for what is not rootlets.
    sides : tuple of Side
        Sides of the body that the value covers; empty for what has no side.
    """

    text: str
    level: SpinalLevel | None = None
    sectors: tuple[Sector, ...] = ()
    sides: tuple[Side, ...] = ()


@dataclass(frozen=True)
class ModelEntry:
    """One version of one model, as the manifest describes it.

    Attributes
    ----------
    name, version, title, task, framework : str
    labels : dict of int to LabelMeaning
        What each value of the model's output means. Empty where it is not published.
    contrasts : tuple of str
        Empty where they are not published.
    orientation_sct : str
        Orientation the model works in, by the letters where the axes start (SCT's).
    assets : tuple of Asset
    details : dict
        The whole entry as it stands in the file: also training data, published metrics
        with their source, limits, licence, references.
    manifest_file : Path or None
        The file that lists it. Two entries can be equal and stand in different files.
    """

    name: str
    version: str
    title: str
    task: str
    framework: str
    labels: dict[int, LabelMeaning]
    contrasts: tuple[str, ...]
    orientation_sct: str
    assets: tuple[Asset, ...]
    details: dict[str, Any] = field(default_factory=dict, repr=False)
    manifest_file: Path | None = field(default=None, repr=False, compare=False)

    @property
    def reference(self) -> str:
        """Name by which this version is asked for, such as ``"rootlets@r20250318"``."""
        return f"{self.name}@{self.version}"

    @property
    def is_bundled(self) -> bool:
        """Whether the model ships inside this package."""
        return any(asset.format == "bundled" for asset in self.assets)

    @property
    def level_of(self) -> dict[int, SpinalLevel]:
        """Spinal level of each value of the output that names one."""
        return {value: each.level for value, each in self.labels.items() if each.level is not None}

    @property
    def levels(self) -> tuple[SpinalLevel, ...]:
        """Spinal levels that the output names, rostral to caudal; empty if it names none."""
        return tuple(sorted(set(self.level_of.values())))

    @property
    def levels_text(self) -> str:
        """The same in words, such as ``"C2-T1"``, for a table."""
        if not self.labels:
            return "not published"
        return f"{self.levels[0]}-{self.levels[-1]}" if self.levels else "not told apart"


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

    def merged(self, other: Manifest) -> Manifest:
        """Return these entries and after them those that `other` adds.

        The default version of a name stays the one of this manifest. An entry that both
        have, word for word, is kept once.

        Raises
        ------
        ModelError
            If both list one version with different content, or `other` adds a model as
            bundled; the files are named.
        """
        known = {entry.reference.casefold(): entry for entry in self.entries}
        added = []
        for entry in other.entries:
            same = known.get(entry.reference.casefold())
            if same is None and entry.is_bundled:
                raise ModelError(
                    f'{entry.reference} has the format "bundled", which is for the model inside '
                    "this package only",
                    path=entry.manifest_file,
                    remedy="Give the format zip or tar.gz, with its address",
                )
            if same is None:
                added.append(entry)
            elif same != entry:
                raise ModelError(
                    f"describes {entry.reference} in another way than {same.manifest_file} does",
                    path=entry.manifest_file,
                    remedy="The entry of a version never changes: give yours another version, or "
                    "another name",
                )
        return Manifest((*self.entries, *added))


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
    meanings : LabelMeanings
        What the values of the network mean.
    orientation_sct : str
        Orientation the model works in, by the letters where the axes start (SCT's).
    is_compact : bool
        Whether it is a two-step model of ours, for the compact engine.
    checkpoints : tuple of str
        Those that are used, by their path from the parent of `folder`.
    """

    name: str
    version: str
    folder: Path
    sha256: str
    meanings: LabelMeanings
    orientation_sct: str
    is_compact: bool
    checkpoints: tuple[str, ...] = ()

    @property
    def labels(self) -> dict[int, str]:
        """What the values of :attr:`engines.Segmentation.rootlets` mean."""
        return self.meanings.names

    @property
    def has_level_identity(self) -> bool:
        """Whether the values are spinal levels; otherwise every rootlet has one value."""
        return self.meanings.has_level_identity

    @property
    def reference(self) -> str:
        """Name and version in one word, as the sidecar states it."""
        return f"{self.name}@{self.version}"
