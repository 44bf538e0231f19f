from __future__ import annotations

import json
from pathlib import Path

import pytest

import sct_rootlets
from sct_rootlets.errors import ModelError
from sct_rootlets.manifest import load_manifest, read_meanings, require_orientation

OFFICIAL = {
    "r20240129": "r20240129/model-spinal-rootlets_M5_r20240129.zip",
    "r20240523": "r20240523/model-spinal-rootlets_ventral_D106_r20240523.zip",
    "r20240730": "r20240730/model-spinal-rootlets_M5_r20240129-2.zip",
    "r20240915": "r20240915/model-spinal-rootlets-mp2rage-r20240915.zip",
    "r20250318": "r20250318/model-spinal-rootlets-multicon-r20250318.zip",
}


def test_the_bundled_and_all_five_official_models_are_listed():
    manifest = load_manifest()
    assert manifest.bundled.name == "compact"
    official = {entry.version: entry for entry in manifest.entries if entry.name == "rootlets"}
    assert set(official) == set(OFFICIAL)
    base = "https://github.com/ivadomed/model-spinal-rootlets/releases/download/"
    for version, entry in official.items():
        (asset,) = entry.assets
        assert asset.urls == (base + OFFICIAL[version],)
        assert asset.sha256 is None
        assert entry.orientation_sct == "LPI"
        last = 9 if version in ("r20240915", "r20250318") else 8
        assert list(entry.labels) == list(range(2, last + 1))
        assert entry.labels[8].startswith("C8 ")
        assert entry.details["limits"]


def test_the_newest_official_release_is_the_default_of_its_name():
    manifest = load_manifest()
    assert manifest.find("rootlets").version == "r20250318"
    assert manifest.find("rootlets@r20240523").version == "r20240523"
    assert manifest.find("bundled") is manifest.bundled
    assert manifest.find("rootlets@r1999") is None
    assert manifest.find("nothing") is None


def test_published_metrics_name_their_source():
    for entry in load_manifest().entries:
        for metric in entry.details["metrics"]:
            assert metric["source"]
            assert 0 < metric["value"] < 2


def test_the_package_and_the_repository_have_one_file():
    inside = Path(sct_rootlets.__file__).with_name("models_manifest.json")
    outside = inside.parents[1] / "models_manifest.json"
    if not outside.exists():
        pytest.skip("not a checkout of the repository")
    assert inside.read_bytes() == outside.read_bytes()


def test_a_manifest_without_something_names_the_entry(tmp_path):
    path = tmp_path / "models.json"
    whole = json.loads(Path(sct_rootlets.__file__).with_name("models_manifest.json").read_text())

    def written(change) -> Path:
        content = json.loads(json.dumps(whole))
        change(content)
        path.write_text(json.dumps(content))
        return path

    assert len(load_manifest(written(lambda content: None)).entries) == 6

    def without(key):
        return lambda content: content["models"][1].pop(key)

    for key in ("title", "labels", "limits", "orientation", "assets", "licence", "requires"):
        with pytest.raises(ModelError, match=rf"entry 2 .*{key}"):
            load_manifest(written(without(key)))
    with pytest.raises(ModelError, match="letters"):
        load_manifest(written(lambda c: c["models"][1]["orientation"].update(letters="nibabel")))
    with pytest.raises(ModelError, match="64 hex"):
        load_manifest(written(lambda c: c["models"][1]["assets"][0].update(sha256="abc")))
    with pytest.raises(ModelError, match="twice"):
        load_manifest(written(lambda c: c["models"].append(c["models"][1])))
    with pytest.raises(ModelError, match="no list"):
        load_manifest(written(lambda c: c.pop("models")))
    path.write_text("{")
    with pytest.raises(ModelError, match="not JSON"):
        load_manifest(path)
    with pytest.raises(ModelError, match="cannot be read"):
        load_manifest(tmp_path / "none.json")


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
