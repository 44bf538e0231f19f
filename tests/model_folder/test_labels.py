from __future__ import annotations

import pytest

from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder import read_meanings, require_orientation


def meanings(labels):
    return read_meanings({"labels": {"background": 0, **labels}}, "dataset.json")


def test_names_of_labels_become_spinal_levels():
    official = meanings({f"lvl{value}": value for value in range(1, 10)})
    assert official.rootlet_value_of == {value: value for value in range(1, 10)}
    assert official.has_level_identity
    assert official.names[8] == "C8 spinal nerve rootlets"
    assert official.names[9] == "T1 spinal nerve rootlets"
    assert meanings({"C5": 1, "t1": 2}).rootlet_value_of == {1: 5, 2: 9}
    assert meanings({"label_4": 4, "label_5": 5}).rootlet_value_of == {4: 4, 5: 5}


def test_rootlets_without_levels_have_the_value_1():
    compact = meanings({"cord": 1, "csf": 2, "rootlet": 3})
    assert (compact.cord, compact.csf) == (1, 2)
    assert compact.rootlet_value_of == {3: 1}
    assert not compact.has_level_identity
    assert meanings({"anything": 1}).rootlet_value_of == {1: 1}
    assert meanings({"dorsal_rootlets": 1, "ventral_rootlets": 2}).rootlet_value_of == {1: 1, 2: 1}


@pytest.mark.parametrize(
    "labels", [{}, {"cord": 1}, {"lesion": 1, "disc": 2}, {"whole": [1, 2], "core": [2]}]
)
def test_labels_that_are_no_rootlets_are_refused(labels):
    with pytest.raises(ModelError, match=r"dataset\.json"):
        meanings(labels)


def test_an_orientation_is_three_letters_of_three_axes():
    assert require_orientation("rpi", "x") == "RPI"
    for wrong in ("LP", "LLI", "LRI", "XYZ", None, 3, "LPIS"):
        with pytest.raises(ModelError, match="three letters"):
            require_orientation(wrong, "x")
