"""Whether a model is whole; what every command makes of it is in tests/cli/test_models_damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sct_rootlets.store.condition import DAMAGED, WHOLE, Depth, condition_of, is_ours, is_whole
from sct_rootlets.store.home import Place, Store
from sct_rootlets.store.receipt import RECEIPT, Archive, write_receipt
from tests.store.tiny import near

WEIGHTS = "net/fold_0/checkpoint_final.safetensors"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return the place of a model of two files with its receipt."""
    place = Store(tmp_path, writable=True).place("tiny", "1")
    weights = place.folder / WEIGHTS
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    (place.folder / "net" / "plans.json").write_text("{}")
    archive = Archive("ab" * 32, 9, "m.zip")
    write_receipt(place.folder, archive, name="tiny", version="1", made=[weights])
    return place


def problems(place: Place, depth: Depth) -> tuple[str, ...]:
    found = condition_of(place, depth)
    assert found is not None
    assert (found.state == WHOLE) == (found.problems == ())
    return found.problems


def test_what_is_as_installed_is_whole_and_nothing_is_absent(place: Place) -> None:
    for depth in Depth:
        assert problems(place, depth) == ()
    assert is_whole(place)
    assert condition_of(place.store.place("tiny", "2")) is None
    assert not is_whole(place.store.place("tiny", "2"))


def test_content_is_compared_as_thoroughly_as_is_asked_for(place: Place) -> None:
    plans, receipt = place.folder / "net" / "plans.json", place.folder / RECEIPT
    plans.write_text("[]")
    other = ("net/plans.json has other bytes",)
    written_ns = receipt.stat().st_mtime_ns
    for later_ns, found in ((1, other), (0, ()), (-1, ())):
        os.utime(plans, ns=(0, written_ns + later_ns))
        assert problems(place, Depth.SIZES) == ()
        assert problems(place, Depth.CHANGED) == found
        assert problems(place, Depth.ALL) == other
    plans.write_text("{}")
    assert problems(place, Depth.CHANGED) == ()


def test_added_files_are_damage_but_what_file_managers_leave(place: Place) -> None:
    for name in ("trainer_class.py", ".DS_Store", "._plans.json", ".nfs0001"):
        (place.folder / "net" / name).touch()
    assert problems(place, Depth.CHANGED) == ()
    assert problems(place, Depth.ALL) == ("net/trainer_class.py was added",)


def test_a_hash_is_compared_to_its_end(place: Place) -> None:
    content = json.loads((place.folder / RECEIPT).read_text())
    record = content["files"][WEIGHTS]
    record["sha256"] = near(record["sha256"])
    (place.folder / RECEIPT).write_text(json.dumps(content))
    assert problems(place, Depth.ALL) == (f"{WEIGHTS} has other bytes",)


def test_many_problems_are_counted(place: Place) -> None:
    content = json.loads((place.folder / RECEIPT).read_text())
    content["files"] = {f"net/{k}": {"sha256": "ab", "size_bytes": 1} for k in range(9)}
    (place.folder / RECEIPT).write_text(json.dumps(content))
    found = condition_of(place)
    assert found is not None
    assert found.state == DAMAGED
    assert len(found.problems) == 9
    assert found.text.endswith("net/2 is missing; and 6 more")


def test_only_what_an_install_made_may_be_replaced(place: Place) -> None:
    folder = place.folder
    assert is_ours(folder)
    (folder / RECEIPT).unlink()
    assert is_ours(folder)
    (folder / WEIGHTS).rename(folder / "net" / "fold_0" / "checkpoint_final.pth")
    assert not is_ours(folder)
    link = folder.with_name("2")
    link.symlink_to(folder)
    assert not is_ours(link)
    folder.rename(folder.with_name("3"))
    assert is_ours(link)
