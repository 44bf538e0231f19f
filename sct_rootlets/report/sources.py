"""Of which images a result was made, and where they are now."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from sct_rootlets.files.bids import image_stem
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.made_by import hashes_in, parameters_in, sources_in
from sct_rootlets.files.sidecar import split_nifti

__all__ = ["Locator", "Sources", "sources_of"]

_NIFTI = (".nii.gz", ".nii")


class Locator:
    """Finds a file that a sidecar names: where it says, beside the result, or in folders.

    Parameters
    ----------
    folders : iterable of path-like
        Where images were moved to; searched with the folders in them.
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]] = ()) -> None:
        self._folders = tuple(Path(folder) for folder in folders)
        _by_name.cache_clear()  # they may have changed since the last report of this process

    def find(self, source: str, beside: Path) -> Path | None:
        """Return the file `source`, as seen from the folder `beside`, or None.

        Of several files of its name in the folders, the one is taken whose path agrees with
        the most folders above it; None where that leaves several.
        """
        place = Path(os.path.normpath(beside / source))
        for path in (place, beside / place.name):
            if path.is_file():
                return path
        found: dict[int, list[Path]] = {}
        for path in _by_name(self._folders).get(place.name, []):
            found.setdefault(_shared(path, place), []).append(path)
        best = found[max(found)] if found else []
        return best[0] if len(best) == 1 else None


@lru_cache(maxsize=1)
def _by_name(folders: tuple[Path, ...]) -> Mapping[str, list[Path]]:
    """Return the images in folders by their names; read once by every process."""
    index: dict[str, list[Path]] = {}
    for top in folders:
        for folder, _, names in os.walk(top):
            for name in names:
                if name.endswith(_NIFTI):
                    index.setdefault(name, []).append(Path(folder, name))
    return index


@dataclass
class Sources:
    """The files that one result was made of, by what they are.

    Attributes
    ----------
    image, cord, rootlets, discs : Path or None
        None where there is none, or where it was not found.
    named : dict of str to str
        What the sidecar calls them.
    missing : list of str
        What is named and was not found.
    changed : list of str
        What is not the file that the levels were derived of, by its sha256.
    """

    image: Path | None = None
    cord: Path | None = None
    rootlets: Path | None = None
    discs: Path | None = None
    named: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def sources_of(
    sidecar: Mapping[str, Any], fname: str | None, stem: str, folder: Path, locator: Locator
) -> Sources:
    """Find the images of the result in `folder`.

    `sidecar` is the JSON of the levels and may be empty, `fname` the name of the rootlets as the
    table has it, and `stem` that of the result without what says that it is levels.
    """
    made = Sources()
    given = sources_in(sidecar)
    parameters = parameters_in(sidecar)
    landmarks = {
        name: what
        for what in ("discs", "vertebrae", "pmj")
        if isinstance(name := parameters.get(what), str)
    }
    rest = []
    for source in given:
        role = landmarks.get(Path(source).name)
        if role is not None:
            made.named[role] = source
        elif fname is not None and Path(source).name == fname:
            made.named["rootlets"] = source
        else:
            rest.append(source)
    if "rootlets" not in parameters and (fname is None or "rootlets" in made.named):
        # Made by `levels`, which is given rootlets and a cord mask, and no image.
        made.named |= dict(zip(("cord",), rest, strict=False))
    else:
        # Made by `run`, which writes the rootlets itself, and the cord mask unless it has one.
        made.named |= dict(zip(("image", "cord"), rest, strict=False))
    known = hashes_in(sidecar)
    for role, source in made.named.items():
        path = locator.find(source, folder)
        if path is None:
            made.missing.append(f"{_WORDS[role]} {Path(source).name}")
        elif source in known and file_sha256(path) != known[source]:
            made.changed.append(f"{_WORDS[role]} {path.name}")
        if role in ("image", "cord", "rootlets", "discs"):
            setattr(made, role, path)
    _look_beside(made, fname, stem, folder, locator)
    return made


_WORDS = {
    "image": "image",
    "cord": "cord mask",
    "rootlets": "rootlets",
    "discs": "disc labels",
    "vertebrae": "vertebrae",
    "pmj": "PMJ label",
}


def _look_beside(
    made: Sources, fname: str | None, stem: str, folder: Path, locator: Locator
) -> None:
    """Look for what the sidecar does not name under the names that it usually has."""
    if "rootlets" not in made.named and fname is not None:
        made.rootlets = locator.find(fname, folder)
        if made.rootlets is None:
            made.missing.append(f"rootlets {fname}")
    if "cord" not in made.named:
        names = [f"{stem}_seg", f"{stem}_label-SC_seg"]
        made.cord = _first(names, folder, locator)
        if made.cord is None:
            made.missing.append(f"cord mask {names[0]}.nii.gz")
    if "image" not in made.named:
        beside = [folder]
        names = [stem]
        if made.rootlets is not None:
            beside.append(made.rootlets.parent)
            names.append(image_stem(split_nifti(made.rootlets)[1]))
        masks = (made.rootlets, made.cord, made.discs)
        found = (_first(names, place, locator) for place in beside)
        made.image = next((path for path in found if path and path not in masks), None)


def _first(names: Iterable[str], folder: Path, locator: Locator) -> Path | None:
    for name in names:
        for ending in _NIFTI:
            found = locator.find(name + ending, folder)
            if found is not None:
                return found
    return None


def _shared(first: Path, second: Path) -> int:
    """Return how many folders above them two paths have in common, from the file upwards."""
    count = 0
    for a, b in zip(reversed(first.parts[:-1]), reversed(second.parts[:-1]), strict=False):
        if a != b:
            break
        count += 1
    return count
