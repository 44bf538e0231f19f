"""The folder in which one install works, and the rename by which a model appears."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType

from sct_rootlets.errors import DownloadError, StoreError
from sct_rootlets.store.condition import is_ours, is_whole
from sct_rootlets.store.home import Place, Store
from sct_rootlets.store.lock import Lock, sweep
from sct_rootlets.store.space import writing

__all__ = ["Staging", "discard", "tidy"]

_ARCHIVE = "archive.part"


class Staging:
    """A folder that only the owner of a lock uses; a context manager that removes it.

    On entering, what dead installs have left in the store is removed, and a partial
    download of the same model is taken over.

    Parameters
    ----------
    store : Store
    reference : str
        ``name@version`` whose lock the caller holds.

    Attributes
    ----------
    archive : Path
        Where the archive is downloaded to.
    unpacked : Path
        Where it is unpacked.
    keep_archive : bool
        Whether what has arrived of the archive stays, for the next attempt, where the
        download fails or the user interrupts it.
    """

    def __init__(self, store: Store, reference: str) -> None:
        self._store = store
        self._reference = reference
        self.folder = store.staging / f"{reference}-{secrets.token_hex(8)}"
        self.archive = self.folder / _ARCHIVE
        self.unpacked = self.folder / "unpacked"
        self.keep_archive = False

    def __enter__(self) -> Staging:
        with writing(self.folder):
            self.folder.mkdir()
        self._adopt()
        tidy(self._store, mine=self._reference)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A full disk is not helped by a part of an archive.
        may_continue = isinstance(error, (DownloadError, KeyboardInterrupt))
        if not (self.keep_archive and may_continue and self.archive.exists()):
            discard(self.folder)

    def publish(self, folder: Path, place: Place) -> None:
        """Let a complete model appear in the store, in one step.

        A damaged model of the same version, or one whose change was accepted, makes room
        just before. Where another process was first, its model stays. `folder` is below this
        staging folder, with its receipt; a `StoreError` says that it cannot be moved.
        """
        with writing(place.folder):
            _flush(folder)
            place.folder.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(place.folder) and is_ours(place.folder):
                os.rename(place.folder, self.folder / "replaced")
            try:
                os.rename(folder, place.folder)
            except OSError:
                # Somebody who took this lock to be abandoned has installed it meanwhile.
                if not is_whole(place):
                    raise
            _flush_folder(place.folder.parent)

    def _adopt(self) -> None:
        """Take over what a dead install of the same model has downloaded."""
        for folder in sorted(self._store.staging.glob(f"{self._reference}-*")):
            if folder == self.folder or _reference_of(folder) != self._reference:
                continue
            part, beside = folder / _ARCHIVE, folder / f"{_ARCHIVE}.json"
            if part.is_file() and beside.is_file() and not self.archive.exists():
                with contextlib.suppress(OSError):
                    os.rename(beside, self.folder / beside.name)
                    os.rename(part, self.archive)
            discard(folder)


def tidy(store: Store, *, mine: str = "") -> None:
    """Remove what dead installs have left, but for `mine`, whose lock the caller holds."""
    folders: dict[str, list[Path]] = {}
    for folder in store.staging.glob("*"):
        folders.setdefault(_reference_of(folder), []).append(folder)
    for path in store.locks.glob("*.lock"):
        folders.setdefault(path.name.removesuffix(".lock"), [])
    folders.pop(mine, None)
    for reference, left in folders.items():
        # Whoever gets the lock knows that nobody works there; nobody is waited for.
        lock = Lock(store.locks / f"{reference}.lock", reference)
        with contextlib.suppress(StoreError), lock:  # a store that can only be read stays so
            if lock.try_take():
                for folder in left:
                    discard(folder)
    sweep(store.locks)


def discard(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it, as far as the system lets it."""
    with contextlib.suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return
        # Nothing can be removed from a folder that is closed to its owner as well.
        os.chmod(path, 0o700)
        for parent, folders, _ in os.walk(path):
            for folder in (os.path.join(parent, name) for name in folders):
                if not os.path.islink(folder):
                    os.chmod(folder, 0o700)
    shutil.rmtree(path, ignore_errors=True)


def _reference_of(folder: Path) -> str:
    return folder.name.rpartition("-")[0]


def _flush(folder: Path) -> None:
    """Have the system write every file below `folder` to the disk, and their names."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_dir():
            _flush_folder(path)
        else:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems know no fsync of a folder.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
