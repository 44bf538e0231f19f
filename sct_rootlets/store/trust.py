"""Trust on first use: the hash that a version had when it was first installed.

No official hash has been published. The first install of a version therefore records the
hash it saw in a lock file, which a laboratory can share; from then on other bytes for the
same version are refused until the user accepts the change by name.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sct_rootlets.errors import IntegrityError, OutputError, StoreError
from sct_rootlets.files.outputs import OutputSet
from sct_rootlets.store.home import Store
from sct_rootlets.store.lock import Lock, sweep
from sct_rootlets.store.reading import FORMAT, read_models
from sct_rootlets.store.receipt import Receipt

__all__ = [
    "LOCK",
    "LOCK_FILE",
    "TrustRecord",
    "changed",
    "read_records",
    "record",
    "records_path",
    "require_trusted",
    "tidy_records",
]

logger = logging.getLogger(__name__)

#: Environment variable that names another lock file, such as one that a laboratory shares.
LOCK = "SCT_ROOTLETS_LOCK"
#: Name of the lock file in a store.
LOCK_FILE = "models.lock.json"


@dataclass(frozen=True)
class TrustRecord:
    """The first sight of a version, or the last change that was accepted.

    Its fields are as in a :class:`Receipt`; `sha256` is that of the archive.
    """

    sha256: str
    content_sha256: str
    source: str
    time_utc: str

    @classmethod
    def of(cls, receipt: Receipt) -> TrustRecord:
        """Return what is recorded of a model that was installed so."""
        return cls(receipt.archive_sha256, receipt.content_sha256, receipt.source, receipt.time_utc)


def records_path(store: Store) -> Path:
    """Return the lock file: ``SCT_ROOTLETS_LOCK``, else that of this user's store."""
    given = os.environ.get(LOCK, "").strip()
    return Path(given).expanduser().absolute() if given else store.folder / LOCK_FILE


def read_records(path: Path) -> dict[str, TrustRecord]:
    """Return what a lock file records, by ``name@version``; nothing where there is no file.

    Raises
    ------
    StoreError
        If there is one that cannot be used: without it changes would go unnoticed.
    """
    return read_models(
        path,
        TrustRecord,
        what="the lock file of model hashes",
        remedy="Restore it, or remove it to trust the models anew at their next install",
    )


def record(
    path: Path, reference: str, seen: TrustRecord, *, accepted: bool = False, pinned: bool = False
) -> None:
    """Record what was seen of a version, unless the same is recorded already.

    Parameters
    ----------
    path : Path
        The lock file.
    reference : str
        ``name@version``.
    seen : TrustRecord
    accepted : bool
        Whether a change was accepted by the user.
    pinned : bool
        Whether the user gave the hash; it then need not be trusted, and a lock file that
        cannot be written is no obstacle.

    Raises
    ------
    IntegrityError
        If another hash has been recorded meanwhile and no change was accepted.
    StoreError
        If the file cannot be written.
    """
    known = read_records(path).get(reference)
    if known is not None and _same(known, seen):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path) as lock, OutputSet() as outputs:
            lock.take()
            models = read_records(path)
            known = models.get(reference)
            if known is not None and not _same(known, seen) and not accepted:
                raise changed(reference, f"its sha256 is {seen.sha256}", known, path)
            models[reference] = seen
            content = {
                "format": FORMAT,
                "models": {name: asdict(models[name]) for name in sorted(models)},
            }
            with outputs.stage(path).open("w", encoding="utf-8") as stream:
                stream.write(json.dumps(content, indent=1) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
    except (OSError, OutputError, StoreError) as error:
        cause = error.error if isinstance(error, OutputError) else error
        reason = cause.problem if isinstance(cause, StoreError) else cause.strerror or str(cause)
        if not pinned:
            raise _unwritable(path, reason) from error
        logger.warning("the hash of %s could not be recorded in %s (%s)", reference, path, reason)
        return
    if pinned and not accepted:
        logger.info("the sha256 of %s is recorded in %s", reference, path)
    elif accepted and known is not None:
        logger.warning("the change of %s was accepted: sha256 %s", reference, seen.sha256)
    else:
        logger.warning(
            "nobody has published a hash of %s, so its first download had to be trusted: sha256 "
            "%s is recorded in %s, and other bytes will be refused from now on",
            reference,
            seen.sha256,
            path,
        )


def tidy_records(path: Path) -> None:
    """Remove what a process that died while it recorded a hash left beside the lock file.

    Nothing is done where its folder cannot be written.
    """
    with contextlib.suppress(StoreError), _lock(path) as lock:
        left = [*path.parent.glob(f".*-{path.name}*"), *path.parent.glob(lock.path.name)]
        if left and lock.try_take():
            for temporary in path.parent.glob(f".*-{path.name}*"):
                temporary.unlink(missing_ok=True)
    sweep(path.parent)


def require_trusted(
    receipt: Receipt,
    *,
    pinned: str | None = None,
    published: str | None = None,
    records: Path | None = None,
) -> None:
    """Raise an `IntegrityError` if an installed model is not the one that is expected.

    It is compared with the hash of the archive that the user gave (`pinned`), the one that the
    manifest states (`published`), and the lock file `records`.
    """
    for sha256, whose in ((pinned, "you gave"), (published, "of the manifest")):
        if sha256 is not None and receipt.archive_sha256 != sha256:
            raise IntegrityError(
                f"the installed {receipt.reference} came from an archive with the sha256 "
                f"{receipt.archive_sha256}, not the one {whose}, {sha256}",
                remedy=f"Remove it with: sct_rootlets models remove {receipt.reference}",
            )
    known = None if records is None else read_records(records).get(receipt.reference)
    if records is not None and known is not None and receipt.archive_sha256 != known.sha256:
        found = f"its sha256 is {receipt.archive_sha256}"
        raise changed(receipt.reference, found, known, records, is_installed=True)


def changed(
    reference: str, found: str, known: TrustRecord, path: Path, *, is_installed: bool = False
) -> IntegrityError:
    """Return the error that a version has other bytes, `found`, than the lock file records.

    Where `is_installed`, they are installed already, from before the record.
    """
    command = f"sct_rootlets models install {reference}"
    remedy = f"To install what was recorded: {command}" if is_installed else ""
    remedy = remedy or "A released version should never change: ask its authors"
    return IntegrityError(
        f"the archive of {reference} is not the one that was seen before: {found}; {known.sha256} "
        f"was recorded on {known.time_utc} from {known.source} in {path}",
        remedy=f"{remedy}. To accept the change: {command} -accept-change {reference}",
    )


def _lock(path: Path) -> Lock:
    return Lock(path.with_name(f"{path.name}.lock"), path.name)


def _same(known: TrustRecord, seen: TrustRecord) -> bool:
    return (known.sha256, known.content_sha256) == (seen.sha256, seen.content_sha256)


def _unwritable(path: Path, reason: str) -> StoreError:
    return StoreError(
        f"the hash that was seen cannot be recorded ({reason})",
        path=path,
        remedy=f"Name a lock file that can be written in {LOCK}, or have whoever keeps this one "
        "install the model first",
    )
