"""The time between volumes: header and sidecar, apart and against each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sct_rootlets.fmri.repetition import Timing, repetition_time

SEC, MSEC, USEC, HZ, ODD = 8, 16, 24, 32, 56


def timing(
    folder: Path, value: float, unit: int = SEC, sidecar: str | dict[str, Any] | None = None
) -> Timing:
    """Return what is found of a series of 4 volumes."""
    header = nib.Nifti1Header()
    header.set_data_shape((2, 2, 2, 4))
    header["pixdim"][4] = value
    header["xyzt_units"] = 2 + unit
    if sidecar is not None:
        text = sidecar if isinstance(sidecar, str) else json.dumps(sidecar)
        (folder / "bold.json").write_text(text)
    return repetition_time(folder / "bold.nii.gz", header, 4)


@pytest.mark.parametrize(
    ("value", "unit", "expected"), [(2.5, SEC, 2.5), (1130, MSEC, 1.13), (7.2e5, USEC, 0.72)]
)
def test_a_header_with_a_unit_is_enough(
    tmp_path: Path, value: float, unit: int, expected: float
) -> None:
    assert timing(tmp_path, value, unit) == Timing(expected)


@pytest.mark.parametrize(
    ("value", "unit"), [(0, SEC), (2.4999, SEC), (2500, MSEC), (2.5, 0), (2500, 0)]
)
def test_a_sidecar_that_agrees_or_fills_a_gap_needs_no_words(
    tmp_path: Path, value: float, unit: int
) -> None:
    found = timing(tmp_path, value, unit, {"RepetitionTime": 2.5})
    assert found == Timing(2.5, tmp_path / "bold.json")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1, SEC, "says 1 s between volumes, and bold.json 2.5 s: bold.json is taken"),
        (1, 0, "says 1 without a unit between volumes, and bold.json 2.5 s"),
        (2.51, SEC, "says 2.51 s between volumes, and bold.json 2.5 s"),
        (2500, SEC, "says 2500 s between volumes, and bold.json 2.5 s"),
        (-2.5, SEC, "says -2.5, which is no time, between volumes, and bold.json 2.5 s"),
        (np.nan, SEC, "says nan, which is no time, between volumes"),
        (2.5, HZ, "says 2.5 Hz, which is no time, between volumes"),
    ],
)
def test_a_sidecar_goes_before_a_header_that_says_something_else(
    tmp_path: Path, value: float, unit: int, words: str
) -> None:
    found = timing(tmp_path, value, unit, {"RepetitionTime": 2.5})
    assert found.tr_s == 2.5
    assert len(found.remarks) == 1
    assert words in found.remarks[0]


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0, SEC, "has no time, and"),
        (2000, SEC, "says 2000 s between volumes, which no run has (0.1 to 30 s)"),
        (2, MSEC, "says 0.002 s between volumes, which no run has"),
        (0.05, SEC, "says 0.05 s"),
        (31, SEC, "says 31 s"),
        (1e6, 0, "says 1e+06 without a unit between volumes, which no run has"),
        (np.inf, SEC, "says inf, which is no time"),
        (-1, MSEC, "says -1, which is no time"),
        (2, HZ, "says 2 Hz, which is no time"),
    ],
)
def test_no_time_is_better_than_one_that_no_run_has(
    tmp_path: Path, value: float, unit: int, words: str
) -> None:
    found = timing(tmp_path, value, unit)
    assert found.tr_s is None
    assert len(found.remarks) == 1
    assert words in found.remarks[0]
    assert "state RepetitionTime, in seconds, in bold.json" in found.remarks[0]


@pytest.mark.parametrize(
    ("value", "unit", "expected"), [(2.0, 0, 2.0), (2000.0, 0, 2.0), (2.0, ODD, 2.0)]
)
def test_a_number_without_a_unit_is_taken_as_what_it_can_be(
    tmp_path: Path, value: float, unit: int, expected: float
) -> None:
    found = timing(tmp_path, value, unit)
    assert found.tr_s == expected
    assert (
        f"says {value:g} without a unit between volumes: {expected:g} s is taken"
        in (found.remarks[0])
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"RepetitionTime": "2.0"}, "RepetitionTime is text and no number"),
        ({"RepetitionTime": [2.0]}, "RepetitionTime is a list and no number"),
        ({"RepetitionTime": True}, "RepetitionTime is true or false and no number"),
        ({"RepetitionTime": None}, "RepetitionTime is null and no number"),
        ({"RepetitionTime": 2000}, "RepetitionTime is 2000 s, which no run has"),
        ({"RepetitionTime": 0}, "RepetitionTime is 0, which is no time"),
        ({"RepetitionTime": -2}, "RepetitionTime is -2, which is no time"),
        ('{"RepetitionTime": NaN}', "RepetitionTime is n"),  # not known, however it is read
        (f'{{"RepetitionTime": 1{"0" * 400}}}', " is "),
        ({"VolumeTiming": [0, 2]}, "VolumeTiming is not of the 4 volumes but of 2"),
        ({"VolumeTiming": 2}, "VolumeTiming is not of the 4 volumes but of 0"),
        ({"VolumeTiming": [0, 2, "4", 6]}, "does not hold growing numbers"),
        ({"VolumeTiming": [0, 2, 2, 6]}, "does not hold growing numbers"),
        ({"VolumeTiming": [0, 40, 80, 120]}, "VolumeTiming has 40 s, which no run has"),
        ("{", "is not valid JSON"),
        ("[2]", "is not a JSON object"),
    ],
)
def test_a_sidecar_that_cannot_be_used_leaves_it_to_the_header(
    tmp_path: Path, content: str | dict[str, Any], words: str
) -> None:
    found = timing(tmp_path, 2.5, SEC, content)
    assert found.tr_s == 2.5
    assert len(found.remarks) == 1
    assert found.remarks[0].startswith("bold.json")
    assert words in found.remarks[0]
    without = timing(tmp_path, 0, SEC, content)
    assert without.tr_s is None
    assert "no RepetitionTime is written" in without.remarks[1]


def test_onsets_of_volumes(tmp_path: Path) -> None:
    even = timing(tmp_path, 0, SEC, {"VolumeTiming": [1.0, 3.5, 6.0, 8.5]})
    assert (even.tr_s, even.remarks) == (2.5, ())
    uneven = timing(tmp_path, 2.5, SEC, {"VolumeTiming": [0, 2.5, 5, 15]})
    assert uneven.tr_s is None, "one number would be wrong"
    assert "by VolumeTiming, 2.5 to 10 s lie between volumes" in uneven.remarks[0]


def test_a_sidecar_that_says_nothing_is_not_there(tmp_path: Path) -> None:
    assert timing(tmp_path, 2.5, SEC, {"EchoTime": 0.03}) == Timing(2.5)


def test_what_stands_in_the_nearest_file_counts(tmp_path: Path) -> None:
    func = tmp_path / "sub-1" / "func"
    func.mkdir(parents=True)
    (tmp_path / "task-rest_bold.json").write_text('{"RepetitionTime": 3.0}')
    image, header = func / "sub-1_task-rest_bold.nii.gz", nib.Nifti1Header()
    header.set_data_shape((2, 2, 2, 4))
    header["pixdim"][4] = 0
    assert repetition_time(image, header, 4) == Timing(3.0, tmp_path / "task-rest_bold.json")
    own = func / "sub-1_task-rest_bold.json"
    own.write_text('{"EchoTime": 0.03}')
    assert repetition_time(image, header, 4).tr_s == 3.0
    own.write_text('{"RepetitionTime": 2.0}')
    assert repetition_time(image, header, 4) == Timing(2.0, own)


def test_headers_of_other_formats_have_no_unit(tmp_path: Path) -> None:
    header = nib.AnalyzeHeader()
    header.set_data_shape((2, 2, 2, 4))
    header["pixdim"][4] = 2
    found = repetition_time(tmp_path / "bold.img", header, 4)
    assert found.tr_s == 2
    assert "without a unit" in found.remarks[0]
