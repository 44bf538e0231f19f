"""Look-ups of the viewers: their formats, and the colours of the figures."""

from __future__ import annotations

import re

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.colours import LEVEL_COLOURS, UNNUMBERED
from sct_rootlets.qc.lookups import Entry, fsleyes, itksnap, of_levels, slicer

C8 = Entry(8, "C8", LEVEL_COLOURS[SpinalLevel.C8])


def test_levels_have_their_names_and_colours_and_the_rest_none() -> None:
    entries = of_levels([9, 8, 77])
    assert [entry.name for entry in entries] == ["C8", "T1", "label 77"]
    assert entries[0] == C8
    assert entries[2].colour == UNNUMBERED
    assert of_levels([1], numbered=False) == [Entry(1, "rootlets", UNNUMBERED)]


def test_fsleyes_has_shares_of_one() -> None:
    (line,) = fsleyes([C8]).splitlines()
    value, red, green, blue, name = line.split()
    assert (value, name) == ("8", "C8")
    parts = [round(255 * float(part)) for part in (red, green, blue)]
    assert parts == [0xF0, 0xE4, 0x42]


def test_itksnap_has_its_header_the_clear_label_and_eight_fields() -> None:
    lines = itksnap([C8, Entry(20, 'a "b"', "#010203")]).splitlines()
    assert lines[1] == "# ITK-SnAP Label Description File"
    rows = [line for line in lines if not line.startswith("#")]
    fields = re.compile(r'^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+([01])\s+([01])\s+"([^"]*)"$')
    found = [fields.match(row) for row in rows]
    assert all(found)
    values = [match.groups() for match in found if match]
    assert values[0] == ("0", "0", "0", "0", "0", "0", "0", "Clear Label")
    assert values[1] == ("8", "240", "228", "66", "1", "1", "1", "C8")
    assert values[2] == ("20", "1", "2", "3", "1", "1", "1", "a 'b'")


def test_slicer_has_no_spaces_in_names_and_counts_its_lines() -> None:
    lines = slicer([C8, Entry(20, "left dorsal", "#010203")]).splitlines()
    assert lines[0].startswith("# Color table file")
    assert lines[1] == "# 3 values"
    assert lines[2:] == ["0 Background 0 0 0 0", "8 C8 240 228 66 255", "20 left_dorsal 1 2 3 255"]
