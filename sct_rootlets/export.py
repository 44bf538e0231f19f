"""Names and colours of one result for FSLeyes, ITK-SNAP and 3D Slicer, and how to open it there."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sct_rootlets.errors import InputError, UsageError
from sct_rootlets.files.guards import require_free
from sct_rootlets.files.json_files import object_if_readable
from sct_rootlets.files.results import ResultSet
from sct_rootlets.files.sidecar import sidecar, sidecar_path, split_nifti
from sct_rootlets.image import load_labels
from sct_rootlets.levels.table.reading import OtherTableError, read_table_beside
from sct_rootlets.qc.lookups import FORMATS, Entry, of_levels
from sct_rootlets.report.finding import find
from sct_rootlets.report.sources import Locator, sources_of
from sct_rootlets.tables import Line, read_sheet

__all__ = ["VIEWERS", "Exported", "Labelled", "export"]

logger = logging.getLogger(__name__)

#: The viewers that there are look-ups for.
VIEWERS = tuple(FORMATS)
#: Opacity of labels on the image, per cent.
_OPACITY = 50.0


@dataclass(frozen=True)
class Labelled:
    """A label image and what its values are called.

    Attributes
    ----------
    path : Path
    entries : tuple of Entry
    """

    path: Path
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Exported:
    """What was written, and how it is opened.

    Attributes
    ----------
    files : tuple of Path
    commands : dict of str to tuple of str
        Command lines by viewer.
    """

    files: tuple[Path, ...]
    commands: Mapping[str, tuple[str, ...]]


def export(
    path: str | os.PathLike[str],
    viewers: Sequence[str] = VIEWERS,
    folder: str | os.PathLike[str] | None = None,
    *,
    image: str | os.PathLike[str] | None = None,
    shown: Callable[[Path], str] = str,
    overwrite: bool = False,
) -> Exported:
    """Write the look-ups of a label image, and of what belongs to it.

    Parameters
    ----------
    path : path-like
        Label image: spinal levels, and with them their rootlets, where they are found; or
        rootlets, or regions of an EPI as ``sct_rootlets map`` writes them.
    viewers : sequence of str
        Of `VIEWERS`.
    folder : path-like, optional
        Where to write; by default beside the label image.
    image : path-like, optional
        Grey-value image for the command lines; by default the one that the labels were made
        of, if it is found.
    shown : callable
        How the command lines name a file.
    overwrite : bool
        Replace also files that are not as an earlier export wrote them.

    Returns
    -------
    Exported

    Raises
    ------
    InputError
        If it is no label image, or its look-up is damaged.
    UsageError
        If there is no such viewer, or without `overwrite` such a file would be replaced.
    """
    unknown = [viewer for viewer in viewers if viewer not in FORMATS]
    if unknown:
        raise UsageError(
            f"there is no viewer {unknown[0]!r}", remedy=f"Choose one of {', '.join(VIEWERS)}"
        )
    path = Path(path)
    labelled = [_labelled(path)]
    rootlets, grey = _belonging(path)
    if rootlets is not None and rootlets != path:
        labelled.append(_labelled(rootlets))
    if image is not None:
        grey = Path(image)
        if not grey.is_file():
            raise UsageError("no such file (image)", path=grey)
    planned = [(one, _files(one.path, viewers, folder)) for one in labelled]
    records = [sidecar_path(one.path) for one in labelled]
    inputs = [path for path in (*(one.path for one in labelled), *records, grey) if path]
    require_free(
        [path for _, files in planned for path in files.values()], inputs, overwrite=overwrite
    )
    written: dict[str, list[tuple[Labelled, Path]]] = {viewer: [] for viewer in viewers}
    with ResultSet(overwrite=overwrite) as outputs:
        for one, files in planned:
            for viewer in written:
                outputs.write(files[viewer], FORMATS[viewer][0](one.entries))
                written[viewer].append((one, files[viewer]))
            about = sidecar(
                beside=files["json"].parent,
                sources=[one.path],
                description="Names and colours of the values of a label image, for viewers.",
            )
            outputs.record(files["json"], about, files.values())
    return Exported(
        tuple(target for pairs in written.values() for _, target in pairs),
        {viewer: _COMMANDS[viewer](grey, written[viewer], shown) for viewer in written},
    )


def _files(
    labels: Path, viewers: Sequence[str], folder: str | os.PathLike[str] | None
) -> dict[str, Path]:
    """Return the look-ups of a label image by viewer, and the ``json`` that lists them."""
    stem = split_nifti(labels)[1].removesuffix("_dseg")
    endings = {**{viewer: FORMATS[viewer][1] for viewer in viewers}, "json": "_lookups.json"}
    where = Path(folder or labels.parent)
    return {what: where / f"{stem}{ending}" for what, ending in endings.items()}


def _labelled(path: Path) -> Labelled:
    """Read which values a label image has; their names from its look-up, if it has one."""
    labels = load_labels(path, "labels").labels
    stem = split_nifti(path)[1].removesuffix("_dseg")
    look_up = path.with_name(f"{stem}_dseg.tsv")
    if look_up.is_file():
        known = {entry.value: entry for entry in _read_look_up(look_up)}
        if set(labels) <= set(known):
            return Labelled(path, tuple(known.values()))
    names = object_if_readable(sidecar_path(path)).get("Labels", {})
    numbered = not (isinstance(names, dict) and set(names.values()) == {"rootlet"})
    return Labelled(path, tuple(of_levels(labels, numbered=numbered)))


def _read_look_up(path: Path) -> list[Entry]:
    try:
        entries: dict[int, Entry] = {}
        for line in read_sheet(path, ("index", "name", "color")).lines:
            index = line.given("index", line.integer("index"))
            if index in entries:
                raise line.refused("index", "stands in another line too")
            entries[index] = Entry(index, line.given("name", line.word("name")), _colour(line))
        return list(entries.values())
    except InputError as error:
        error.problem = f"is no look-up: {error.problem}"
        error.remedy = error.remedy or "Remove or restore it"
        raise


def _colour(line: Line) -> str:
    word = line.given("color", line.word("color"))
    if re.fullmatch("#?[0-9a-fA-F]{6}", word) is None:
        raise line.refused("color", "is no colour", allowed="such as #0072B2")
    return word


def _belonging(path: Path) -> tuple[Path | None, Path | None]:
    """Return the rootlets and the grey-value image of a result, as far as they are found."""
    try:
        found = find([path])[0]
    except InputError:
        return None, None
    sidecar = object_if_readable(found.sidecar)
    fname = None
    try:
        table = read_table_beside(found.table)
        fname = None if table is None else table.fname
    except OtherTableError as error:
        logger.warning("the table beside the levels is not used: %s %s", error.path, error.problem)
    sources = sources_of(sidecar, fname, found.name, found.table.parent, Locator())
    return sources.rootlets, sources.image


Pairs = Sequence[tuple[Labelled, Path]]
NameOf = Callable[[Path], str]


def _fsleyes(image: Path | None, pairs: Pairs, shown: NameOf) -> tuple[str, ...]:
    words = ["fsleyes"]
    if image is not None:
        words.append(f"{shlex.quote(shown(image))} -cm greyscale")
    for one, look_up in pairs:
        names = shlex.quote(shown(one.path)), shlex.quote(shown(look_up))
        words.append(f"{names[0]} -ot label -l {names[1]} -a {_OPACITY}")
    return (" ".join([*words, "&"]),)


def _itksnap(image: Path | None, pairs: Pairs, shown: NameOf) -> tuple[str, ...]:
    lines = []
    for one, look_up in pairs:
        grey, labels, names = (
            shlex.quote(shown(path)) for path in (image or one.path, one.path, look_up)
        )
        lines.append(f"itksnap -g {grey} -s {labels} -l {names} &")
    return tuple(lines)


def _slicer(image: Path | None, pairs: Pairs, shown: NameOf) -> tuple[str, ...]:
    # Slicer has its own working folder: it is told whole paths.
    code = [] if image is None else [f"slicer.util.loadVolume({json.dumps(str(image.absolute()))})"]
    for one, look_up in pairs:
        code.append(f"c = slicer.util.loadColorTable({json.dumps(str(look_up.absolute()))})")
        code.append(
            f"slicer.util.loadSegmentation({json.dumps(str(one.path.absolute()))}, "
            '{"colorNodeID": c.GetID()})'
        )
    return (f"Slicer --python-code {shlex.quote('; '.join(code))} &",)


_COMMANDS: Mapping[str, Callable[[Path | None, Pairs, NameOf], tuple[str, ...]]] = {
    "fsleyes": _fsleyes,
    "itksnap": _itksnap,
    "slicer": _slicer,
}
