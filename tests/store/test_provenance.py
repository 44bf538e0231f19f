"""What an exported model proves, where hashes agree in their first digits only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sct_rootlets.errors import IntegrityError
from sct_rootlets.store.provenance import require_carried
from sct_rootlets.store.receipt import FileRecord, Receipt
from sct_rootlets.store.requested import RequestedModel
from sct_rootlets.store.trust import TrustRecord
from tests.store.tiny import near

ARCHIVE, ZIP, FILE = "ab" * 32, "cd" * 32, "ef" * 32
RECEIPT = Receipt(
    "tiny", "1", ARCHIVE, 9, "m.zip", "2025", "0.1", False, {"plans.json": FileRecord(FILE, 2)}
)
REQUESTED = RequestedModel("tiny", "1", file=Path("m.zip"), published=ARCHIVE, pinned=ZIP)
KNOWN = TrustRecord(ARCHIVE, RECEIPT.content_sha256, "m.zip", "2025")


def test_a_carried_model_is_what_its_receipt_says() -> None:
    require_carried(REQUESTED, RECEIPT, RECEIPT, ZIP, KNOWN)
    almost = near(RECEIPT.content_sha256)
    other: Any = SimpleNamespace(reference="tiny@1", archive_sha256=ARCHIVE, content_sha256=almost)
    with pytest.raises(IntegrityError, match="not those of the receipt"):
        require_carried(REQUESTED, RECEIPT, other, ZIP, KNOWN)


@pytest.mark.parametrize(
    ("change", "zip_sha256", "content", "message"),
    [
        ({}, near(ZIP), KNOWN.content_sha256, "that you gave"),
        ({"published": near(ARCHIVE)}, ZIP, KNOWN.content_sha256, "of the manifest"),
        ({}, ZIP, near(KNOWN.content_sha256), "not those that were recorded"),
        ({}, ZIP, "0" * 64, "not those that were recorded"),
    ],
)
def test_a_carried_model_has_the_whole_of_every_hash(
    change: dict[str, str], zip_sha256: str, content: str, message: str
) -> None:
    known = replace(KNOWN, content_sha256=content)
    with pytest.raises(IntegrityError, match=message):
        require_carried(replace(REQUESTED, **change), RECEIPT, RECEIPT, zip_sha256, known)
