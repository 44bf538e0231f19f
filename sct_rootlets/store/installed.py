"""What is installed: found, described, packed for another machine, removed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from sct_rootlets.errors import IntegrityError, ModelError, StoreError
from sct_rootlets.files.hashing import file_sha256
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.manifest import InstalledModel
from sct_rootlets.store.folder import describe, inference_checkpoints, model_folder
from sct_rootlets.store.home import Place, stores
from sct_rootlets.store.lock import Lock
from sct_rootlets.store.receipt import RECEIPT, Receipt, is_installed, read_receipt
from sct_rootlets.store.space import writing

__all__ = ["all_installed", "describe_installed", "export", "find", "receipt_of", "remove"]

#: Time of every member of an exported zip, so that the same model gives the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def find(name: str, version: str | None = None) -> Place | None:
    """Return where a model is installed, in the order of the stores; None where it is not.

    Without a version, it is the one installed last.
    """
    found = [place for place in all_installed() if place.name == name]
    if version is not None:
        return next((place for place in found if place.version == version), None)
    return max(found, key=lambda place: receipt_of(place).time_utc, default=None)


def all_installed() -> Iterator[Place]:
    """Yield every installed model, in the order of the stores; an earlier one hides a later."""
    seen = set()
    for store in stores():
        for place in store.places():
            if place.reference not in seen and is_installed(place.folder):
                seen.add(place.reference)
                yield place


def receipt_of(place: Place) -> Receipt:
    """Return the receipt of an installed model, or raise a `ModelError`."""
    receipt = read_receipt(place.folder)
    if receipt is None:
        raise ModelError(f"{place.reference} is not installed", path=place.folder)
    return receipt


def describe_installed(place: Place) -> InstalledModel:
    """Describe an installed model, after the files that inference reads were hashed.

    Its :attr:`InstalledModel.sha256` is that of the files as they were published, which
    the same folder given by its path has as well; the hashes are those of the receipt.

    Raises
    ------
    IntegrityError
        If a file is not the one that was installed.
    """
    receipt = receipt_of(place)
    folder = model_folder(place.folder)
    hashes = {
        place.folder.joinpath(*name.split("/")): record.sha256
        for name, record in receipt.files.items()
    }
    pair = folder.with_name(folder.name.replace("3d_fullres", "3d_lowres"))
    for each in dict.fromkeys((folder, pair)):
        if not (each / "dataset.json").is_file():
            continue
        used = [each / "dataset.json", each / "plans.json"]
        for checkpoint in inference_checkpoints(each):
            used += [checkpoint.with_suffix(".safetensors"), checkpoint.with_suffix(".json")]
        for path in used:
            if hashes.get(path) != file_sha256(path):
                raise IntegrityError(
                    "is not the file that was installed",
                    path=path,
                    remedy=f"Install it again: sct_rootlets models install {place.reference}",
                )
    return describe(folder, place.name, place.version, hashes)


def remove(place: Place) -> None:
    """Remove an installed model: it disappears in one step, and is deleted after.

    What engines made of it goes with it.

    Raises
    ------
    StoreError
        If the store is not this user's own, or cannot be written.
    """
    if not place.store.writable:
        raise StoreError(
            "is in a store that is only read here",
            path=place.folder,
            remedy="Whoever owns that store can remove it",
        )
    place.store.prepare()
    converted: list[Path] = []
    with contextlib.suppress(ModelError):  # a damaged model can be removed as well
        converted = place.store.compiled_of(describe_installed(place).sha256)
    with Lock(place.lock, place.reference) as lock:
        lock.take()
        gone = place.store.staging / f"{place.reference}-{secrets.token_hex(8)}"
        with writing(place.folder):
            os.rename(place.folder, gone)
        shutil.rmtree(gone, ignore_errors=True)
        with contextlib.suppress(OSError):  # another version is in it
            place.folder.parent.rmdir()
        for path in converted:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def export(place: Place, target: Path) -> str:
    """Pack an installed model, with its receipt, into a zip for another machine.

    The zip holds what came out of the archive, so that SCT can use it too, and not what
    the installation made of it. The same model gives the same bytes.

    Parameters
    ----------
    place : Place
    target : Path
        The zip; a file of that name is replaced once the new one is whole.

    Returns
    -------
    str
        sha256 of the zip, by which the other side can pin it.

    Raises
    ------
    IntegrityError
        If a file is not the one that was installed.
    """
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
                if name != RECEIPT and file_sha256(path) != receipt.files[name].sha256:
                    raise IntegrityError(
                        "is not the file that was installed",
                        path=path,
                        remedy="Install the model again before it is exported",
                    )
                with path.open("rb") as source, archive.open(member, "w") as packed:
                    shutil.copyfileobj(source, packed, 1 << 20)
        return file_sha256(staged)
