"""What is known of where a model comes from, beside the manifest: receipts and the lock file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import IntegrityError, StoreError
from sct_rootlets.store import trust
from sct_rootlets.store.condition import condition_of
from sct_rootlets.store.folder import model_folders
from sct_rootlets.store.home import Place, home
from sct_rootlets.store.installed import conditions
from sct_rootlets.store.receipt import RECEIPT, Receipt, read_receipt
from sct_rootlets.store.requested import RequestedModel, is_url

__all__ = ["carried_receipt", "receipt_here", "stated_levels", "with_source"]


def with_source(requested: RequestedModel) -> RequestedModel:
    """Return it with the address that its receipt or the lock file knows, if they know one."""
    found = [each.receipt for each in conditions(requested.name, requested.version)]
    known = [(receipt.source, receipt.archive_sha256) for receipt in found if receipt is not None]
    record = trust.read_records(trust.records_path(home())).get(requested.reference)
    known += [] if record is None else [(record.source, record.sha256)]
    for source, sha256 in known:
        if is_url(source):
            return replace(requested, urls=(source,), pinned=requested.pinned or sha256)
    return requested


def receipt_here(place: Place) -> Receipt | None:
    """Return the receipt of what is there already, damaged or not, if it has one of its own."""
    found = condition_of(place)
    receipt = None if found is None else found.receipt
    return receipt if receipt is not None and receipt.reference == place.reference else None


def carried_receipt(unpacked: Path) -> Receipt | None:
    """Return the receipt in an unpacked archive, which ``models export`` has put there.

    Raises
    ------
    IntegrityError
        If it cannot be used.
    ModelError
        If the archive holds no model.
    """
    try:
        return read_receipt(model_folders(unpacked)[0].parent)
    except (IntegrityError, StoreError) as error:
        problem = f"the {RECEIPT} in it {error.problem}"
        raise IntegrityError(problem, remedy=error.remedy) from error


def stated_levels(
    requested: RequestedModel, before: Receipt | None, carried: Receipt | None
) -> Mapping[int, SpinalLevel]:
    """Return what is said of the values of a model's output, by whom counts first.

    That is the manifest; the receipt of what is repaired; then that of a zip whose hash the
    user gave, which proves it.
    """
    if requested.levels:
        return requested.levels
    if before is not None and before.levels:
        return before.levels
    return carried.levels if carried is not None and requested.pinned is not None else {}
