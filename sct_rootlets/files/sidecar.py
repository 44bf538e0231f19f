"""JSON sidecars: what made a file, from what, and with which model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sct_rootlets import __version__
from sct_rootlets.files.hashing import file_sha256

__all__ = [
    "GENERATOR",
    "distinct_names",
    "hashes",
    "names_us",
    "relative",
    "sidecar",
    "sidecar_path",
    "split_nifti",
    "to_json",
]

#: Name under ``GeneratedBy`` by which files of this package are recognised.
GENERATOR = "sct_rootlets"


class ModelIdentity(Protocol):
    """What a sidecar says of a model."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def checkpoints(self) -> tuple[str, ...]: ...


def split_nifti(path: str | os.PathLike[str]) -> tuple[Path, str, str]:
    """Split a NIfTI path into folder, stem and extension.

    Examples
    --------
    >>> split_nifti("data/t2.nii.gz")[1:]
    ('t2', '.nii.gz')
    >>> split_nifti("t2.nii")[1:], split_nifti("t2")[1:]
    (('t2', '.nii'), ('t2', ''))
    """
    where = Path(path)
    for extension in (".nii.gz", ".nii"):
        if where.name.lower().endswith(extension) and len(where.name) > len(extension):
            return where.parent, where.name[: -len(extension)], where.name[-len(extension) :]
    return where.parent, where.name, ""


def distinct_names(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return a short name for each of several NIfTI files: as much of its path as tells it apart.

    Examples
    --------
    >>> distinct_names(["a/sub-1_dseg.nii.gz", "b/sub-2_dseg.nii.gz"])
    ['sub-1_dseg', 'sub-2_dseg']
    >>> distinct_names(["a/pred.nii.gz", "b/pred.nii.gz"])
    ['a/pred', 'b/pred']
    """
    wholes = []
    for path in paths:
        folder, stem, _ = split_nifti(os.path.abspath(path))
        wholes.append((*folder.parts, stem))
    length = 1
    while length < max(map(len, wholes), default=0):
        if len({whole[-length:] for whole in wholes}) == len(set(wholes)):
            break
        length += 1
    return ["/".join(whole[-length:]) for whole in wholes]


def sidecar_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of the JSON sidecar that belongs to the NIfTI file `path`."""
    folder, stem, _ = split_nifti(path)
    return folder / f"{stem}.json"


def sidecar(
    *,
    beside: str | os.PathLike[str],
    sources: Iterable[str | os.PathLike[str]],
    description: str,
    model: ModelIdentity | None = None,
    parameters: Mapping[str, Any] | None = None,
    maker: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    spatial_reference: str | None = "orig",
) -> dict[str, Any]:
    """Return the sidecar of one output.

    Keys follow BIDS derivatives (``GeneratedBy``, ``Sources``, ``SpatialReference``,
    https://bids-specification.readthedocs.io/en/stable/derivatives/common-data-types.html).

    Parameters
    ----------
    beside : path-like
        Folder the output is written to; `sources` are given relative to it, so that no
        absolute path of a machine leaves it.
    sources : iterable of path-like
        Input files.
    description : str
        What the file holds, in a sentence.
    model : object with name, version, sha256 and checkpoints, optional
        Model that predicted the labels.
    parameters : mapping, optional
        Parameters of the run.
    maker : mapping, optional
        Further keys of the entry under ``GeneratedBy``. Its ``Name`` may say more than the
        name of this package, after a colon.
    extra : mapping, optional
        Keys to add at the top level.
    spatial_reference : str, optional
        BIDS's word for "the grid of the source image", or another image; None for a table.
    """
    generated: dict[str, Any] = {"Name": GENERATOR, "Version": __version__, **(maker or {})}
    if model is not None:
        generated["Model"] = {
            "Name": model.name,
            "Version": model.version,
            "SHA256": model.sha256,
            "Checkpoints": list(model.checkpoints),
        }
    if parameters:
        generated["Parameters"] = dict(parameters)
    return {
        "Description": description,
        "GeneratedBy": [generated],
        "Sources": [relative(source, beside) for source in sources],
        **({} if spatial_reference is None else {"SpatialReference": spatial_reference}),
        **(extra or {}),
    }


def hashes(
    sources: Iterable[str | os.PathLike[str]], beside: str | os.PathLike[str]
) -> dict[str, str]:
    """Return the sha256 of every source that is a file, named as in ``Sources``."""
    found = {}
    for source in sources:
        if os.path.isfile(source):
            found[relative(source, beside)] = file_sha256(source)
    return found


def to_json(content: Mapping[str, Any]) -> str:
    """Return `content` as the text of a JSON file; NaN is refused, since JSON has none."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # A byte of a file's name that is no UTF-8 becomes the escape that JSON has for it.
    return text.encode("utf-8", "backslashreplace").decode()


def names_us(content: Mapping[str, Any]) -> bool:
    """Say whether the content of a sidecar names this package among its makers."""
    makers = content.get("GeneratedBy")
    names = [
        maker.get("Name") if isinstance(maker, dict) else None
        for maker in (makers if isinstance(makers, list) else ())
    ]
    return any(isinstance(name, str) and name.split(":")[0] == GENERATOR for name in names)


def relative(source: str | os.PathLike[str], beside: str | os.PathLike[str]) -> str:
    """Return the path of `source` as seen from the folder `beside`, with forward slashes."""
    try:
        return Path(os.path.relpath(source, beside)).as_posix()
    except ValueError:  # another drive on Windows
        return Path(source).name
