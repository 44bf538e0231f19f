"""Whether an archive is the one it should be: by the user, the manifest, or the lock file."""

from __future__ import annotations

from sct_rootlets.errors import IntegrityError, ModelError
from sct_rootlets.store.receipt import Receipt
from sct_rootlets.store.requested import RequestedModel, other_bytes
from sct_rootlets.store.trust import TrustRecord

__all__ = ["require_archive", "require_carried", "require_proof"]


def require_archive(
    requested: RequestedModel, sha256: str, source: str, known: TrustRecord | None = None
) -> None:
    """Raise an `IntegrityError` if an archive is not what the user or the manifest says.

    A file that is given for what no manifest lists has to be the one that is `known` from an
    earlier install, or the one whose hash is its version.
    """
    for expected, whose in (
        (requested.pinned, "that you gave"),
        (requested.published, "of the manifest"),
    ):
        if expected is not None and sha256 != expected:
            raise other_bytes(source, sha256, f"{expected} {whose}")
    if not requested.is_named or requested.is_listed or requested.file is None:
        return
    is_its_version = not requested.is_recorded and sha256[:12] == requested.version
    if not (is_its_version if known is None else known.sha256 == sha256):
        raise IntegrityError(
            f"carries no receipt of 'models export', and nothing says that its sha256 {sha256} is "
            f"that of {requested.reference}",
            path=source,
            remedy="Give its path in place of the name; or list it, with -manifest",
        )


def require_proof(requested: RequestedModel, carried: Receipt, known: TrustRecord | None) -> None:
    """Raise if a zip that ``models export`` made is another model, or nothing can prove it.

    The receipt in it, `carried`, says which archive the files came from, but cannot prove it:
    that takes the hash of the zip, or the record of an install from that archive, `known`.

    Raises
    ------
    ModelError
        If it holds another model.
    IntegrityError
        If nothing proves where it came from.
    """
    path = requested.file
    if carried.reference != requested.reference:
        raise ModelError(
            f"holds {carried.reference}, not {requested.reference}",
            path=path,
            remedy=f"Type: sct_rootlets models install {carried.reference} -from-file FILE.zip",
        )
    needs_proof = requested.published is not None or not requested.is_listed
    if needs_proof and requested.pinned is None and known is None:
        whence = f"the archive {requested.published} of the manifest"
        whence = whence if requested.published else f"the archive of {requested.reference}"
        raise IntegrityError(
            f"was made by 'models export', and nothing proves that its files came from {whence}",
            path=path,
            remedy="Give the sha256 that 'models export' printed with -sha256, or bring the "
            "original archive",
        )


def require_carried(
    requested: RequestedModel,
    receipt: Receipt,
    carried: Receipt,
    zip_sha256: str,
    known: TrustRecord | None,
) -> None:
    """Check the files of a zip that ``models export`` made, after :func:`require_proof`.

    `receipt` is that of the files as they were unpacked here, `carried` the one in the zip, and
    `known` what is recorded.

    Raises
    ------
    IntegrityError
        If something does not match.
    """
    path = requested.file
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
