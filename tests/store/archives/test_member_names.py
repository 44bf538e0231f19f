"""Names that no archive may hold, whichever kind it is of."""

from __future__ import annotations

import pytest

from tests.store.archives.building import tar_of, zip_of

E_ACUTE = ("caf\u00e9.json", "cafe\u0301.json")

#: What they are -> (what the error says, the names of the files).
NAMES = {
    "absolute": ("absolute", "/tmp/evil"),
    "parent": ("leads out", "../evil"),
    "dot and parent": ("leads out", "./../evil"),
    "parent inside": ("leads out", "a/b/../../../evil"),
    "parent at the end": ("leads out", "a/.."),
    "good, then parent": ("leads out", "good", "../evil"),
    "out of what is left out": ("leads out", "__MACOSX/../../evil"),
    "drive": ("character ':'", "C:/evil"),
    "drive with backslash": ("character ':'", "C:\\evil"),
    "UNC": (r"character '\\\\'", "\\\\server\\share\\evil"),
    "UNC with slashes": ("absolute", "//server/share/evil"),
    "parent with backslash": (r"character '\\\\'", "..\\evil"),
    "alternate data stream": ("character ':'", "dataset.json:evil"),
    "case": ("one file on some", "a/Plans.json", "a/plans.json"),
    "case of a folder": ("one file on some", "A/x", "a/y"),
    "case of sharp s": ("one file on some", "stra\u00dfe", "STRASSE"),
    "Unicode": ("one file on some", *E_ACUTE),
    "twice": ("twice", "a", "a"),
    "twice with a dot": ("twice", "a", "./a"),
    "file, then folder": ("file and as a folder", "a", "a/b"),
    "folder, then file": ("file and as a folder", "a/b", "a"),
    "reserved": ("reserved", "aux.json"),
    "reserved port": ("reserved", "COM1"),
    "reserved folder": ("reserved", "NUL/a"),
    "new line": ("control", "a\nb"),
    "terminal escape": ("control", "a\x1b[2Jb"),
    "reversed text": ("control, invisible", "a\u202egpj.exe"),
    "ends in a dot": ("space or a dot", "plans.json."),
    "ends in a space": ("space or a dot", "fold /a"),
    "empty part": ("empty part", "a//b"),
    "empty name": ("empty part", ""),
    "long part": ("too long", "\u00e9" * 128),
    "long name": ("too long", "/".join(["abcdefgh"] * 130)),
    "long name outside": ("leads out", "../" + "e" * 150),
    "deep": ("too deep", "/".join("a" * 40)),
    "only what is left out": ("no file", "__MACOSX/a"),
}


@pytest.mark.parametrize("make", [zip_of, tar_of])
@pytest.mark.parametrize(("said", "names"), [(s, n) for s, *n in NAMES.values()], ids=NAMES)
def test_a_name_is_refused(refused, make, said, names):
    refused(make(*((name, b"x") for name in names)), said)
