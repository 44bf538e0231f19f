"""Whether an archive is the one it should be: by the user, the manifest, or the lock file."""

from __future__ import annotations

from sct_rootlets.errors import IntegrityError, ModelError
from sct_rootlets.store.receipt import Receipt
from sct_rootlets.store.requested import RequestedModel, other_bytes
from sct_rootlets.store.trust import TrustRecord

__all__ = ["require_archive", "require_carried"]


def require_archive(requested: RequestedModel, sha256: str, source: str) -> None:
    """Raise an `IntegrityError` if an archive is not what the user or the manifest says."""
    for expected, whose in (
        (requested.pinned, "that you gave"),
        (requested.published, "of the manifest"),
    ):
        if expected is not None and sha256 != expected:
            raise other_bytes(source, sha256, f"{expected} {whose}")


def require_carried(
    requested: RequestedModel,
    receipt: Receipt,
    carried: Receipt,
    zip_sha256: str,
    known: TrustRecord | None,
) -> None:
    """Check a zip that ``models export`` made: against its receipt, and against what is known.

    The receipt in it says which archive the files came from, but cannot prove it: that
    takes the hash of the zip, or the record of an install from that archive.

    `receipt` is that of the files as they were unpacked here, `carried` the one in the zip, and
    `known` what the lock file records.

    Raises
    ------
    ModelError
        If it holds another model.
    IntegrityError
        If something does not match, or nothing proves where it came from.
    """
    path = requested.file
    if carried.reference != requested.reference:
        raise ModelError(
            f"holds {carried.reference}, not {requested.reference}",
            path=path,
            remedy=f"Type: sct_rootlets models install {carried.reference} -from-file FILE.zip",
        )
    if receipt.content_sha256 != carried.content_sha256:
        raise IntegrityError(
            "its files are not those of the receipt in it",
            path=path,
            remedy="Copy it again, or export it again",
        )
    if requested.pinned is not None and zip_sha256 != requested.pinned:
        raise other_bytes(str(path), zip_sha256, f"{requested.pinned} that you gave")
    if requested.published is not None and carried.archive_sha256 != requested.published:
        raise other_bytes(
            f"the archive that {path} was made from",
            carried.archive_sha256,
            f"{requested.published} of the manifest",
        )
    if known is not None and receipt.content_sha256 != known.content_sha256:
        raise IntegrityError(
            f"its files are not those that were recorded for {requested.reference} on "
            f"{known.time_utc}",
            path=path,
            remedy="Ask whoever made the zip, or install from the network",
        )
    if requested.published is not None and requested.pinned is None and known is None:
        raise IntegrityError(
            "was made by 'models export', and nothing proves that its files came from the "
            f"archive {requested.published} of the manifest",
            path=path,
            remedy="Give the sha256 that 'models export' printed with -sha256, or bring the "
            "original archive",
        )
