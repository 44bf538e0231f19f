from __future__ import annotations

import pytest

from sct_rootlets.anatomy import SpinalLevel
from sct_rootlets.errors import ModelError
from sct_rootlets.model_folder import meanings_of, read_labels, require_orientation


def read(labels, **more):
    return read_labels({"labels": {"background": 0, **labels}, **more}, "dataset.json")


def meanings(labels, stated=None, **more):
    return meanings_of(read(labels, **more), "dataset.json", stated)


def test_names_of_labels_become_spinal_levels():
    official = meanings({f"lvl{value}": value for value in range(1, 10)})
    assert official.rootlet_value_of == {value: value for value in range(1, 10)}
    assert official.has_level_identity
    assert official.names[8] == "C8 spinal nerve rootlets"
    assert official.names[9] == "T1 spinal nerve rootlets"
    assert read({"lvl1": 1, "lvl2": 2, "ignore": 3}).classes == 3
    assert meanings({"C5": 1, "t1": 2}).rootlet_value_of == {1: 5, 2: 9}
    assert meanings({"level_4": 1, "LVL-5": [2], "ignore": 3}).rootlet_value_of == {1: 4, 2: 5}


@pytest.mark.parametrize("name", ["vertebra_{}", "label_{}", "{}", "disc{}", "lvl.{}", "C{}_vert"])
def test_a_number_in_another_name_is_no_level(name):
    others = {name.format(value): value for value in range(1, 4)}
    with pytest.raises(ModelError, match="no label that can be rootlets"):
        meanings(others)
    with pytest.raises(ModelError, match="no label that can be rootlets"):
        meanings({name.format(1): 1})
    assert meanings({**others, "lvl2": 4}).rootlet_value_of == {4: 2}


def test_what_the_manifest_says_counts_where_a_name_says_nothing(caplog):
    stated = {1: SpinalLevel.C2, 2: SpinalLevel.C3}
    unnamed = meanings({"label_1": 1, "label_2": 2, "cord": 3}, {**stated, 3: SpinalLevel.C4})
    assert unnamed.rootlet_value_of == {1: 2, 2: 3}
    assert unnamed.cord == 3
    assert not caplog.records
    assert meanings({"lvl2": 1, "lvl5": 2}, stated).rootlet_value_of == {1: 2, 2: 5}
    assert "calls the value 2 C5, and the manifest calls it C3" in caplog.text


def test_rootlets_without_levels_have_the_value_1():
    compact = meanings({"cord": 1, "csf": 2, "rootlet": 3})
    assert (compact.cord, compact.csf) == (1, 2)
    assert compact.rootlet_value_of == {3: 1}
    assert not compact.has_level_identity
    assert meanings({"anything": 1}).rootlet_value_of == {1: 1}
    assert meanings({"dorsal_rootlets": 1, "ventral_rootlets": 2}).rootlet_value_of == {1: 1, 2: 1}


def test_of_regions_the_value_is_what_nnunet_writes_for_each():
    regions = {"cord": [1, 2, 3], "C2": [2, 3], "C3": [3]}
    labels = read(regions, regions_class_order=[1, 7, 3])
    assert labels.has_regions
    assert labels.classes == 3
    found = meanings_of(labels, "dataset.json")
    assert (found.cord, found.rootlet_value_of) == (1, {7: 2, 3: 3})


#: nnU-Net stops at most of them, and answers labels with a gap with other values.
REFUSED = {
    "none": ({}, "no label that can be rootlets"),
    "cord": ({"cord": 1}, "no label that can be rootlets"),
    "lesion": ({"lesion": 1}, "no label that can be rootlets"),
    "others": ({"lesion": 1, "disc": 2}, "no label that can be rootlets"),
    "gap": ({"lvl2": 2, "lvl3": 3}, "a gap in the values of its labels: none has the value 1,"),
    "large gap": ({"lvl2": 1, "lvl3": 999}, "none has the value 2, 3, 4, 5, 6, and one 999"),
    "background": ({"background": 1, "lvl2": 0}, '"background" the value 1, not 0'),
    "background list": ({"background": [0], "lvl2": 1}, r'"background" the value \[0\], not 0'),
    "ignore": ({"lvl2": 1, "ignore": 1}, '"ignore" the value 1, not 2'),
    "no numbers": ({"lvl2": "1"}, '"lvl2" the value "1"'),
    "true": ({"lvl2": True}, '"lvl2" the value true'),
    "fraction": ({"lvl2": 1.0}, '"lvl2" the value 1.0'),
    "negative": ({"lvl2": -1}, '"lvl2" the value -1'),
    "nothing": ({"lvl2": []}, r'"lvl2" the value \[\]'),
    "huge": ({"lvl2": 10**3999}, r'"lvl2" the value 10{76}\.\.\.'),
    "no level": ({"lvl2": 1, "lvl31": 2}, '"lvl31", which is no spinal level'),
    "long level": ({f"lvl{'9' * 5000}": 1}, r"9\.\.\., which is no spinal level"),
    "twice": ({"lvl2": 1, "C3": 1}, "the value 1 to C2 and C3"),
    "vertebrae": ({"C6": 1, "C7": 2, "T1": 3}, "C7 and T1 without C8"),
    "many": ({f"lvl{n}": n for n in range(1, 1500)}, "names 1500 labels"),
    "regions": ({"whole": [1, 2], "core": [2]}, "2 regions and the regions_class_order null"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_labels_that_nnunet_or_we_cannot_use_are_refused(name):
    labels, why = REFUSED[name]
    with pytest.raises(ModelError, match=why) as caught:
        meanings(labels)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("labels", [None, [], "lvl2", {}, {"lvl2": 1}, {"0": "background"}])
def test_without_labels_as_nnunet_2_has_them_there_is_no_model(labels):
    with pytest.raises(ModelError, match=r"dataset\.json: (states no|gives the label)"):
        read_labels({"labels": labels}, "dataset.json")


@pytest.mark.parametrize("order", [[1], [1, 2, 3], [0, 1], [1, 300], ["1", "2"], 3, None])
def test_an_order_of_regions_that_is_none_is_refused(order):
    with pytest.raises(ModelError, match="regions_class_order"):
        meanings({"rootlets": [1, 2], "C2": 2}, regions_class_order=order)


def test_an_orientation_is_three_letters_of_three_axes():
    assert require_orientation("rpi", "x") == "RPI"
    for wrong in ("LP", "LLI", "LRI", "XYZ", None, 3, "LPIS", "L" * 9999, ["L", "P", "I"]):
        with pytest.raises(ModelError, match="three letters"):
            require_orientation(wrong, "x")
