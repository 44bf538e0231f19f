"""Bring the archive of a model into the staging folder: from the network, or from a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from sct_rootlets.errors import DownloadError, IntegrityError, ModelError
from sct_rootlets.store import trust
from sct_rootlets.store.receipt import Archive
from sct_rootlets.store.requested import RequestedModel
from sct_rootlets.store.space import require_space, writing
from sct_rootlets.store.staging import Staging

__all__ = ["Progress", "copy_archive", "download_archive"]

#: Called as ``progress(stage, done, total)``; bytes while downloading, with total 0 unknown.
Progress = Callable[[str, int, int], None]


def download_archive(
    requested: RequestedModel,
    staging: Staging,
    known: trust.TrustRecord | None,
    records: Path,
    progress: Progress | None,
) -> Archive:
    """Download the archive of a model into its staging folder.

    What has arrived stays there on an error, for the next attempt. `known` is what the lock
    file `records` has, which has to come again.

    Raises
    ------
    DownloadError, IntegrityError, StoreError, UsageError
        As of :func:`sct_rootlets.store.web.download.download`, with what can be done.
    """
    from sct_rootlets.store.web.download import download

    def show(url: str, done: int, total: int | None) -> None:
        if progress is not None:
            progress(f"downloading {requested.reference}", done, total or 0)

    if requested.size_bytes is not None:
        # The checkpoint is kept beside its converted weights, which are about as large.
        room = requested.size_bytes + 2 * (requested.unpacked_bytes or requested.size_bytes)
        require_space(staging.folder, room, f"{requested.reference}, unpacked and converted")
    expected = requested.pinned or requested.published or (known.sha256 if known else None)
    staging.keep_archive = True
    try:
        done = download(
            requested.urls,
            staging.archive,
            sha256=expected,
            size_bytes=requested.size_bytes,
            progress=show,
        )
    except IntegrityError as error:
        if known is None or known.sha256 != expected:
            raise
        raise trust.changed(requested.reference, error.problem, known, records) from error
    except DownloadError as error:
        by_hand = "give the path of its archive"
        if requested.is_named:
            command = f"sct_rootlets models install {requested.reference} -from-file FILE.zip"
            by_hand = f"bring the archive by hand: {command}"
        raise DownloadError(
            f"{requested.reference} could not be downloaded: {error.problem}",
            remedy=f"{error.remedy or 'Try again'}. What has arrived is kept. Or {by_hand}",
        ) from error
    staging.keep_archive = False
    if progress is not None:
        progress(f"downloading {requested.reference}", done.size_bytes, done.size_bytes)
    return Archive(done.sha256, done.size_bytes, done.url)


def copy_archive(source: Path, target: Path) -> Archive:
    """Copy an archive into the staging folder, where nobody changes it, and hash the copy."""
    digest = hashlib.sha256()
    try:
        stream = source.open("rb")
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror})", path=source) from error
    with stream:
        require_space(target.parent, os.fstat(stream.fileno()).st_size, "a copy of the archive")
        with writing(target), target.open("wb") as copy:
            while block := stream.read(1 << 20):
                digest.update(block)
                copy.write(block)
            size_bytes = copy.tell()
    # A name that is not in the file system's encoding could be neither kept nor printed.
    name = os.fsencode(source.name).decode(errors="replace")
    return Archive(digest.hexdigest(), size_bytes, name)
