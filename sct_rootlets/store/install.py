"""Install a model: lock, download, unpack, check, convert, and one rename at the end.

Everything happens in a folder of its own in ``staging/``, on the file system of the store,
so that a model appears complete or not at all, whatever ends the process in between.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from pathlib import Path

from sct_rootlets.errors import (
    ArchiveError,
    IntegrityError,
    MissingDependencyError,
    ModelError,
    RootletsError,
    UsageError,
)
from sct_rootlets.manifest import InstalledModel, ModelEntry
from sct_rootlets.store import trust
from sct_rootlets.store.accepted_model import accept_model
from sct_rootlets.store.condition import UNREADABLE, Depth, is_whole
from sct_rootlets.store.fetch import Progress, copy_archive, download_archive
from sct_rootlets.store.home import Place, home, is_offline
from sct_rootlets.store.installed import conditions, describe_installed, receipt_of
from sct_rootlets.store.lock import Lock
from sct_rootlets.store.origin import carried_receipt, receipt_here, stated_levels, with_source
from sct_rootlets.store.provenance import require_archive, require_carried, require_proof
from sct_rootlets.store.receipt import RECEIPT, write_receipt
from sct_rootlets.store.requested import (
    RequestedModel,
    missing_offline,
    no_archive,
    requested_model,
)
from sct_rootlets.store.space import writing
from sct_rootlets.store.staging import Staging, tidy

__all__ = ["Progress", "install", "require_expected"]

logger = logging.getLogger(__name__)


def install(
    what: RequestedModel | ModelEntry | str | os.PathLike[str],
    *,
    file: Path | None = None,
    sha256: str | None = None,
    accept_change: str | None = None,
    trust_code: bool = False,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> InstalledModel:
    """Install a model into this user's store, unless it is there and whole.

    Other versions are not touched. Where several processes install the same, one does the
    work and the others wait for it.

    Parameters
    ----------
    what, file, sha256
        As :func:`sct_rootlets.store.requested.requested_model` takes them, or what it returned.
    accept_change : str, optional
        ``name@version`` whose bytes may differ from those recorded; it is then installed
        anew, and what it is now is recorded.
    trust_code : bool
        Accept files that could run code, and checkpoints that run it when they are read.
    offline : bool, optional
        Whether the network is forbidden; by default what ``SCT_ROOTLETS_OFFLINE`` says.
    progress : callable, optional

    Raises
    ------
    UsageError
        If `accept_change` names something else, or a URL is not allowed.
    DownloadError, IntegrityError, ArchiveError, ModelError
        If it cannot be brought, or is not what it should be.
    StoreError
        If the store cannot be written.
    MissingDependencyError
        If torch or safetensors, by which checkpoints are converted, is missing.
    """
    requested = (
        what
        if isinstance(what, RequestedModel)
        else requested_model(what, file=file, sha256=sha256)
    )
    if accept_change not in (None, requested.reference):
        raise UsageError(
            f"-accept-change names {accept_change}, and what is installed is {requested.reference}",
            remedy=f"Type -accept-change {requested.reference}",
        )
    damage = ""
    notes: list[str] = []
    depth = Depth.ALL if accept_change is None else Depth.SIZES
    for found in conditions(requested.name, requested.version, depth=depth):
        problem = found.text if found.problems else _mismatch(found.place, requested)
        if not problem and accept_change is None:
            _warn(notes)
            tidy(home())
            return describe_installed(found.place, requested.levels)
        if found.place.store.writable and (found.state == UNREADABLE or not found.is_ours):
            raise found.error()
        if problem:
            damage = damage or problem
            what_now = "installed anew" if found.place.store.writable else "passed over"
            notes.append(f"{found.place.folder} is {what_now}: {requested.reference} {problem}")
    if requested.file is None and not requested.urls:
        requested = with_source(requested)
        if not requested.urls:
            raise no_archive(requested, damage)
    if requested.file is None and is_offline(offline):
        raise missing_offline(requested, damage)
    _warn(notes)
    _require_packages()
    store = home()
    place = store.place(requested.name, requested.version)
    store.prepare(place.name)
    before = _identity(place)

    def done() -> bool:
        return _identity(place) != before and is_whole(place)

    # What was too small or incomplete is no model yet, but it is one of ours and replaced.
    with Lock(place.lock, place.reference) as lock:
        if lock.take(until=done) and not done():
            with Staging(store, place.reference) as staging:
                _install(requested, place, staging, accept_change is not None, trust_code, progress)
    require_expected(place, requested)
    return describe_installed(place, requested.levels)


def require_expected(place: Place, requested: RequestedModel) -> None:
    """Raise an `IntegrityError` if an installed model is not the one that is asked for."""
    trust.require_trusted(
        receipt_of(place),
        # The pin of a zip brought by hand is that of the zip, and was checked with it.
        pinned=None if requested.may_be_exported else requested.pinned,
        published=requested.published,
        records=trust.records_path(home()) if requested.is_recorded else None,
    )


def _install(
    requested: RequestedModel,
    place: Place,
    staging: Staging,
    accepts_change: bool,
    trust_code: bool,
    progress: Progress | None,
) -> None:
    """Install into `place`, with the lock held and a staging folder of its own."""
    from sct_rootlets.store.archives.unpack import unpack

    tell = progress or (lambda stage, done, total: None)
    records = trust.records_path(place.store)
    trust.tidy_records(records)
    known = trust.read_records(records).get(requested.reference) if requested.is_recorded else None
    before = receipt_here(place)
    if known is None and before is not None and not requested.is_listed:
        known = trust.TrustRecord.of(before)
    known = None if accepts_change else known
    if requested.file is None:
        archive = download_archive(requested, staging, known, records, progress)
    else:
        archive = copy_archive(requested.file, staging.archive)
    tell(f"unpacking {requested.reference}", 0, 1)
    staging.unpacked.mkdir()
    folder = staging.folder / "model"
    try:
        unpack(staging.archive, staging.unpacked)
        staging.archive.unlink()
        tell(f"unpacking {requested.reference}", 1, 1)
        tell(f"checking {requested.reference}", 0, 1)
        carried = carried_receipt(staging.unpacked) if requested.may_be_exported else None
        if carried is not None:
            require_proof(requested, carried, known)
        levels = stated_levels(requested, before, carried)
        made = accept_model(staging.unpacked, folder, trust_code=trust_code, stated=levels)
    except (ArchiveError, ModelError, IntegrityError) as error:
        raise _of_archive(error, staging, archive.source) from error
    with writing(folder):
        receipt = write_receipt(
            folder,
            archive if carried is None else carried.archive,
            name=requested.name,
            version=requested.version,
            trusted_code=trust_code,
            made=made,
            levels=levels,
        )
    if carried is None:
        require_archive(requested, archive.sha256, archive.source, known)
    else:
        require_carried(requested, receipt, carried, archive.sha256, known)
    if requested.is_recorded and requested.published is None:
        trust.record(
            records,
            requested.reference,
            trust.TrustRecord.of(receipt),
            accepted=accepts_change,
            pinned=requested.pinned is not None,
        )
    staging.publish(folder, place)
    tell(f"checking {requested.reference}", 1, 1)


def _warn(notes: list[str]) -> None:
    for note in notes:
        logger.warning("%s", note)


def _mismatch(there: Place, requested: RequestedModel) -> str:
    """Return why a whole model is not the one that is asked for, or nothing."""
    try:
        require_expected(there, requested)
    except IntegrityError as error:
        return f"is another one: {error.problem}"
    return ""


def _of_archive(error: RootletsError, staging: Staging, source: str) -> RootletsError:
    """Return the same error about the archive, for the staging folder is gone when it is read."""
    problem = error.problem
    if error.path is not None and staging.unpacked in Path(error.path).parents:
        problem = f"{Path(error.path).relative_to(staging.unpacked).as_posix()}: {problem}"
    return type(error)(problem, path=source, remedy=error.remedy)


def _require_packages() -> None:
    for package in ("torch", "safetensors"):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError(
                f"a model is converted when it is installed, which needs {package}",
                remedy='Install it with: pip install "sct_rootlets[standalone]"',
            )


def _identity(place: Place) -> tuple[int, int] | None:
    """Return what tells one installation from the next at the same place."""
    try:
        status = (place.folder / RECEIPT).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
