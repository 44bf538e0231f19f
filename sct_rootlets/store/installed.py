"""What is installed: found, described, packed for another machine, removed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import IntegrityError, ModelError, RootletsError, StoreError
from sct_rootlets.files.guards import refusal, require_free
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.files.standing import Standing
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.model_folder import read_folds
from sct_rootlets.store.condition import WHOLE, Condition, Depth, condition_of, repair
from sct_rootlets.store.folder import describe, model_folder
from sct_rootlets.store.home import Place, stores
from sct_rootlets.store.lock import Lock
from sct_rootlets.store.reading import is_word
from sct_rootlets.store.receipt import RECEIPT, Receipt
from sct_rootlets.store.space import writing
from sct_rootlets.store.staging import discard

__all__ = [
    "all_installed",
    "conditions",
    "describe_installed",
    "export",
    "find",
    "receipt_of",
    "remove",
    "why_not",
]

#: Time of every member of an exported zip, so that the same model gives the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def conditions(
    name: str | None = None, version: str | None = None, *, depth: Depth = Depth.SIZES
) -> Iterator[Condition]:
    """Yield what lies in the stores, in their order, in whichever condition it is.

    Parameters
    ----------
    name, version : str, optional
        By default every model, and every version.
    depth : Depth
        How thoroughly their files are looked at.
    """
    for store in stores():
        if name is None or version is None:
            places = [place for place in store.survey()[0] if name in (None, place.name)]
        else:  # even if its folder cannot be looked into
            places = [Place(store, name, version)] if is_word(name) and is_word(version) else []
        for place in places:
            found = condition_of(place, depth)
            if found is not None:
                yield found


def all_installed() -> Iterator[Place]:
    """Yield every whole model, in the order of the stores; an earlier one hides a later."""
    seen = set()
    for found in conditions():
        if found.state == WHOLE and found.place.reference not in seen:
            seen.add(found.place.reference)
            yield found.place


def find(name: str, version: str | None = None) -> Place | None:
    """Return where a model is installed and whole, in the order of the stores, or None.

    Without a version, it is the one installed last.
    """
    whole = [found for found in conditions(name, version) if found.state == WHOLE]
    if version is not None:
        return whole[0].place if whole else None
    last = max(
        whole, key=lambda found: found.receipt.time_utc if found.receipt else "", default=None
    )
    return None if last is None else last.place


def why_not(name: str, version: str | None = None) -> str:
    """Return in words why a model is not found that is asked for: absent, or not whole."""
    first = next(conditions(name, version), None)
    return "is not installed" if first is None else first.text


def receipt_of(place: Place) -> Receipt:
    """Return the receipt of an installed model, or raise a `RootletsError` if it has none."""
    found = condition_of(place)
    if found is None:
        raise ModelError(f"{place.reference} is not installed", path=place.folder)
    if found.receipt is None:
        raise found.error()
    return found.receipt


def describe_installed(
    place: Place, stated: Mapping[int, SpinalLevel] | None = None
) -> InstalledModel:
    """Describe an installed model, after the files that inference reads were hashed.

    Its :attr:`InstalledModel.sha256` is that of the files as they were published, which
    the same folder given by its path has as well; the hashes are those of the receipt. What a
    manifest has `stated` is as :func:`sct_rootlets.store.folder.describe` takes it; by default
    what the one said by which it was installed.

    Raises
    ------
    IntegrityError, StoreError
        If a file is not the one that was installed, or cannot be read.
    """
    receipt = receipt_of(place)
    hashes = _hashes(place, receipt)
    folder = model_folder(place.folder)
    pair = folder.with_name(folder.name.replace("3d_fullres", "3d_lowres"))
    for each in dict.fromkeys((folder, pair)):
        if not (each / "dataset.json").is_file():
            continue
        # These two first: what the others are called is read in them.
        for path in (each / "dataset.json", each / "plans.json"):
            _require_as_installed(path, hashes.get(path), place)
        for checkpoint in read_folds(each).used:
            for path in (checkpoint.with_suffix(".safetensors"), checkpoint.with_suffix(".json")):
                _require_as_installed(path, hashes.get(path), place)
    return describe(folder, place.name, place.version, hashes, stated or receipt.levels)


def _hashes(place: Place, receipt: Receipt) -> dict[Path, str]:
    return {
        place.folder.joinpath(*name.split("/")): record.sha256
        for name, record in receipt.files.items()
    }


def _require_as_installed(path: Path, sha256: str | None, place: Place) -> None:
    try:
        is_same = sha256 == file_sha256(path)
    except OSError as error:
        raise StoreError(f"cannot be read ({error.strerror})", path=path) from error
    if not is_same:
        raise IntegrityError(
            "is not the file that was installed",
            path=path,
            remedy=repair(place),
        )


def remove(place: Place) -> None:
    """Remove a model, damaged or not: it disappears in one step, and is deleted after.

    What engines made of a whole one goes with it.

    Raises
    ------
    ModelError
        If there is none.
    StoreError
        If the store is not this user's own, or cannot be written.
    RootletsError
        If no install made the folder.
    """
    found = condition_of(place)
    if found is None:
        raise ModelError(f"{place.reference} is not installed", path=place.folder)
    if not place.store.writable:
        raise StoreError(
            "is in a store that is only read here",
            path=place.folder,
            remedy="Whoever owns that store can remove it",
        )
    place.store.prepare()
    if not found.is_ours:
        raise found.error()
    converted = _converted(found)
    with Lock(place.lock, place.reference) as lock:
        lock.take()
        gone = place.store.staging / f"{place.reference}-{secrets.token_hex(8)}"
        with writing(place.folder):
            os.rename(place.folder, gone)
        discard(gone)
        with contextlib.suppress(OSError):  # another version is in it
            place.folder.parent.rmdir()
        for path in converted:
            discard(path)


def _converted(found: Condition) -> list[Path]:
    """Return what engines made of a model; of a damaged one it cannot be told, and stays."""
    place = found.place
    if found.state != WHOLE or found.receipt is None:
        return []
    with contextlib.suppress(RootletsError, OSError):
        hashes = _hashes(place, found.receipt)
        model = describe(model_folder(place.folder), place.name, place.version, hashes)
        return place.store.compiled_of(model.sha256)
    return []


def export(place: Place, target: Path, *, overwrite: bool = False) -> str:
    """Pack an installed model, with its receipt, into a zip for another machine.

    The zip holds what came out of the archive, so that SCT can use it too, and not what
    the installation made of it. The same model gives the same bytes.

    Parameters
    ----------
    place : Place
    target : Path
        The zip.
    overwrite : bool
        Whether a file of that name is replaced that holds something else.

    Returns
    -------
    str
        sha256 of the zip, by which the other side can pin it.

    Raises
    ------
    IntegrityError, StoreError
        If it is damaged, or cannot be read.
    UsageError
        If, without `overwrite`, another file has that name.
    """
    require_free([target], overwrite=True)
    there = None if overwrite else _standing(target, place)
    if there not in (None, Standing.OURS):
        raise refusal({target: there})
    found = condition_of(place)
    if found is not None and found.state != WHOLE:
        raise found.error()
    receipt = receipt_of(place)
    names = [name for name, record in receipt.files.items() if not record.made]
    with OutputSet() as outputs:
        staged = outputs.stage(target)
        with writing(target), zipfile.ZipFile(staged, "w", allowZip64=True) as archive:
            for name in [RECEIPT, *names]:
                path = place.folder.joinpath(*name.split("/"))
                member = zipfile.ZipInfo(f"{place.reference}/{name}", _ZIP_TIME)
                member.compress_type = zipfile.ZIP_DEFLATED
                member.external_attr = 0o644 << 16
                if name != RECEIPT:
                    _require_as_installed(path, receipt.files[name].sha256, place)
                with path.open("rb") as source, archive.open(member, "w") as packed:
                    shutil.copyfileobj(source, packed, 1 << 20)
        sha256 = file_sha256(staged)
        if there is not None and file_sha256(target) != sha256:
            raise refusal({target: Standing.CHANGED})
        return sha256


def _standing(target: Path, place: Place) -> Standing | None:
    """Say whose the file is that has the name of a zip, None where there is none."""
    if not os.path.lexists(target):
        return None
    try:
        with zipfile.ZipFile(target) as packed:
            receipts = [name for name in packed.namelist() if name.endswith(f"/{RECEIPT}")]
    except (OSError, zipfile.BadZipFile):
        return Standing.FOREIGN
    if not receipts:
        return Standing.FOREIGN
    return Standing.OURS if receipts == [f"{place.reference}/{RECEIPT}"] else Standing.OTHER
