from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sct_rootlets
from sct_rootlets.anatomy import Sector, Side, SpinalLevel
from sct_rootlets.errors import ModelError
from sct_rootlets.manifest import (
    MANIFEST_VARIABLE,
    load_manifest,
    load_manifests,
)
from sct_rootlets.manifest.reading import _own_file
from sct_rootlets.model_folder import read_model_folder

PACKAGE = Path(sct_rootlets.__file__).parent
OURS = load_manifest().bundled.manifest_file
OFFICIAL = {
    "r20240129": "r20240129/model-spinal-rootlets_M5_r20240129.zip",
    "r20240523": "r20240523/model-spinal-rootlets_ventral_D106_r20240523.zip",
    "r20240730": "r20240730/model-spinal-rootlets_M5_r20240129-2.zip",
    "r20240915": "r20240915/model-spinal-rootlets-mp2rage-r20240915.zip",
    "r20250318": "r20250318/model-spinal-rootlets-multicon-r20250318.zip",
}
#: What each official release segments; nothing has been published for r20240915.
SEGMENTS = {
    "r20240129": ("C2-C8", {Sector.DORSAL}),
    "r20240523": ("C2-C8", {Sector.DORSAL, Sector.VENTRAL}),
    "r20240730": ("C2-C8", {Sector.DORSAL}),
    "r20240915": ("not published", set()),
    "r20250318": ("C2-T1", {Sector.DORSAL, Sector.VENTRAL}),
}
#: sha256 of the canonical JSON of each entry. The entry of a released version is never
#: changed: a correction is a new version of the model's entry, with a hash of its own here.
ENTRIES_SHA256 = {
    "compact@0.3.0": ("ed8124e51e5cc036cf412185236f9786dcb224d60b16e6b797a81880dd258ccc"),
    "rootlets@r20250318": ("38ca3f945ef9162adf91e817e5845ca243c8b86c87846867832febc2e85420f4"),
    "rootlets@r20240915": ("f9394a6b96012ac7814d02af86d0ca04ebef46670b8071ef229ae86c7a07c8ee"),
    "rootlets@r20240730": ("40151114264804306b626ecc3d3af2005fcc7baf7c3ddb1debd5cfc6cca5d158"),
    "rootlets@r20240523": ("2675888489b73f0e8a018eb32666a2409fdb1257a1b25d2abc1d7843a8a5dc1f"),
    "rootlets@r20240129": ("f0e0ab5667a3fcb17f1eda069d97320f0a215fa717f985b0b74ecfc83c290cf1"),
}


@pytest.fixture
def content() -> dict:
    """Return the manifest of the package as JSON, to be changed by a test."""
    return json.loads(OURS.read_text(encoding="utf-8"))


@pytest.fixture
def own(content: dict) -> dict:
    """Return a manifest with one model of a user's own."""
    model = copy.deepcopy(content["models"][1])
    model.update(name="lab", version="1.0")
    model["assets"][0].update(urls=["https://lab.example/model.zip"], sha256="0" * 64)
    return {"schema": 1, "models": [model]}


def written(folder: Path, content: object, name: str = "models.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_bundled_and_all_five_official_models_are_listed():
    manifest = load_manifest()
    assert manifest.bundled.name == "compact"
    official = {entry.version: entry for entry in manifest.entries if entry.name == "rootlets"}
    assert set(official) == set(OFFICIAL)
    base = "https://github.com/ivadomed/model-spinal-rootlets/releases/download/"
    for version, entry in official.items():
        (asset,) = entry.assets
        assert asset.urls == (base + OFFICIAL[version],)
        assert asset.format == "zip"
        assert (asset.sha256, asset.size_bytes, asset.unpacked_bytes) == (None, None, None)
        assert entry.orientation_sct == "LPI"
        assert not entry.is_bundled
        assert any("checksum" in limit for limit in entry.details["limits"])


@pytest.mark.parametrize("version", sorted(OFFICIAL))
def test_labels_of_an_official_model_are_spinal_levels(version):
    entry = load_manifest().find(f"rootlets@{version}")
    levels, sectors = SEGMENTS[version]
    assert entry.levels_text == levels
    assert entry.levels == tuple(meaning.level for meaning in entry.labels.values())
    for value, meaning in entry.labels.items():
        assert meaning.level is SpinalLevel(value)
        assert meaning.text.startswith(f"{meaning.level} ")
        assert set(meaning.sectors) == sectors
        assert set(meaning.sides) == {Side.LEFT, Side.RIGHT}
        for sector in Sector:
            assert (sector.name.lower() in meaning.text) == (sector in sectors)
    # What nobody has published is null in the file, and said among the limits.
    assert (entry.details["labels"] is None) == (not entry.labels)
    if not entry.labels:
        assert any("levels it segments" in limit for limit in entry.details["limits"])


def test_the_labels_of_the_bundled_model_are_those_of_its_dataset():
    entry = load_manifest().bundled
    dataset = PACKAGE / "models" / "compact" / entry.details["model_folder"]["name"]
    meanings = read_model_folder(dataset).meanings()
    assert entry.levels_text == "not told apart"
    (rootlets,) = meanings.rootlet_value_of
    assert set(entry.labels) == {meanings.cord, meanings.csf, rootlets}
    assert set(entry.labels[rootlets].sectors) == set(Sector)
    assert entry.labels[meanings.cord].text == "spinal cord"
    assert (PACKAGE / entry.details["assets"][0]["folder"]).is_dir()


def test_the_newest_official_release_is_the_default_of_its_name():
    manifest = load_manifest()
    assert manifest.find("rootlets").version == "r20250318"
    assert manifest.find("rootlets@r20240523").version == "r20240523"
    assert manifest.find("bundled") is manifest.bundled
    assert manifest.find("rootlets@r1999") is None
    assert manifest.find("nothing") is None


def test_every_claim_about_a_model_has_a_source():
    for entry in load_manifest().entries:
        stated = {key for key, value in entry.details.items() if value}
        needed = stated & {
            *("labels", "contrasts", "training_data", "orientation", "licence"),
            *("requires", "sct_versions", "model_folder", "assets"),
        }
        assert needed <= set(entry.details["sources"]), entry.reference
        assert set(entry.details["sources"]) <= stated, entry.reference
        for metric in entry.details["metrics"]:
            assert metric["source_url"].startswith("https://")
            assert 0 < metric["value"] < 2


def test_the_entry_of_a_released_version_never_changes(content):
    seen = {}
    for model in content["models"]:
        canonical = json.dumps(model, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        sha256 = hashlib.sha256(canonical.encode()).hexdigest()
        seen[f"{model['name']}@{model['version']}"] = sha256
    assert seen == ENTRIES_SHA256


def test_a_checkout_reads_its_own_file_and_an_installed_package_the_one_inside(tmp_path):
    package, beside = tmp_path / "sct_rootlets", tmp_path / OURS.name
    package.mkdir()
    beside.touch()
    assert _own_file(package) == package / OURS.name
    (package / OURS.name).touch()  # as a build of an older version may have left it
    (tmp_path / "setup.cfg").touch()
    assert _own_file(package) == beside


def test_a_clone_without_symbolic_links_works(tmp_path):
    repository, clone = PACKAGE.parent, tmp_path / "clone"
    if not (repository / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs git and a checkout of the repository")

    def run(*words, folder=clone):
        return subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(clone), "SCT_ROOTLETS_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    without = ("--config", "core.symlinks=false")
    run("git", "clone", "--quiet", *without, str(repository), str(clone), folder=tmp_path)
    assert " models_manifest.json" in (files := run("git", "ls-files", "-s").replace("\t", " "))
    assert not re.search("^120000", files, re.MULTILINE)
    assert "r20250318" in run(sys.executable, "-m", "sct_rootlets", "models", "list")


def test_every_field_is_documented_and_described():
    schema = json.loads((PACKAGE / "models_manifest.schema.json").read_text(encoding="utf-8"))
    page = PACKAGE.parent / "docs" / "manifest.md"
    documented = page.read_text(encoding="utf-8") if page.exists() else None
    for definition in (schema, *schema["definitions"].values()):
        for name, field in definition.get("properties", {}).items():
            assert "description" in field or "$ref" in field, name
            assert documented is None or f"`{name}`" in documented, name


def test_the_example_of_the_documentation_is_a_manifest(tmp_path):
    page = PACKAGE.parent / "docs" / "manifest.md"
    if not page.exists():
        pytest.skip("not a checkout of the repository")
    (example,) = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "models.json"
    path.write_text(example, encoding="utf-8")
    assert load_manifests(path).find("lab-rootlets@2026.1").levels == (SpinalLevel.C5,)


def put(value, *path):
    """Return what sets a field of a model to `value`, or leaves it out for `MISSING`."""

    def apply(model):
        for key in path[:-1]:
            model = model[key]
        model[path[-1]] = value
        if value is MISSING:
            del model[path[-1]]

    return apply


MISSING = object()


CHANGES = {
    **{
        f"no {key}": (put(MISSING, key), f'"{key}" is missing')
        for key in (
            *("title", "task", "framework", "labels", "contrasts", "orientation"),
            *("training_data", "metrics", "intended_use", "limits", "licence", "references"),
            *("requires", "sct_versions", "model_folder", "assets"),
        )
    },
    "no sha256": (put(MISSING, "assets", 0, "sha256"), '"assets[0].sha256" is missing'),
    "no level": (put(MISSING, "labels", "5", "level"), '"labels.5.level" is missing'),
    "no source": (put(MISSING, "metrics", 0, "source"), '"metrics[0].source" is missing'),
    "unknown field": (put(1, "colour"), '"colour" is not a field'),
    "misspelt field": (put(1, "assets", 0, "sha265"), '"assets[0].sha265" is not a field'),
    "empty title": (put("", "title"), '"title" must be longer'),
    "number for a text": (put(3, "task"), '"task" must be string'),
    "other framework": (put("ONNX", "framework"), '"framework" must be one of'),
    "name with @": (put("a@b", "name"), '"name" must match'),
    "name that leaves the folder": (put("../a", "name"), '"name" must match'),
    "name with a line break": (put("lab\n", "name"), '"name" must match'),
    "name that is taken": (put("bundled", "name"), '"name" must NOT match'),
    "version that leaves the folder": (put("..", "version"), '"version" must match'),
    "no labels": (put({}, "labels"), '"labels" must contain at least 1'),
    "label 0": (put({}, "labels", "0"), '"labels.0" is not a field'),
    "vertebra for a level": (put("C9", "labels", "5", "level"), '"labels.5.level" must match'),
    "other sector": (put(["top"], "labels", "5", "sectors"), '"labels.5.sectors[0]" must be one'),
    "nibabel's letters": (put("nibabel", "orientation", "letters"), '"orientation.letters" must'),
    "two letters of an axis": (put("LRI", "orientation", "value"), '"orientation.value" must'),
    "four letters": (put("LPIS", "orientation", "value"), '"orientation.value" must match'),
    "no asset": (put([], "assets"), '"assets" must contain at least 1'),
    "short sha256": (put("abc", "assets", 0, "sha256"), '"assets[0].sha256" must match'),
    "upper-case sha256": (put("A" * 64, "assets", 0, "sha256"), '"assets[0].sha256" must match'),
    "size of nothing": (put(0, "assets", 0, "size_bytes"), '"assets[0].size_bytes" must be bigger'),
    "size true": (put(True, "assets", 0, "size_bytes"), '"assets[0].size_bytes" must be integer'),
    "other format": (put("7z", "assets", 0, "format"), '"assets[0].format" must be one of'),
    "no address": (put([], "assets", 0, "urls"), '"assets[0].urls" must contain at least 1'),
    **{
        what: (put([url], "assets", 0, "urls"), '"assets[0].urls[0]" must match')
        for what, url in {
            "plain http": "http://a.example/m.zip",
            "http on a host named like loopback": "http://localhost.example/m.zip",
            "a password in the address": "https://me:secret@a.example/m.zip",
            "a file for an address": "file:///etc/passwd",
        }.items()
    },
    "bundled with an address": (put("bundled", "assets", 0, "format"), '"assets[0].folder" is mis'),
    "folder of a zip": (put("x", "assets", 0, "folder"), '"assets[0].folder" must NOT'),
    "figure as a text": (put("0.6", "metrics", 0, "value"), '"metrics[0].value" must be number'),
    "source of nothing": (put("x", "sources", "colour"), '"sources"'),
    "no DOI": (put("doi:x", "references", 0, "doi"), '"references[0].doi" must match'),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_what_is_wrong_is_named_with_file_entry_and_field(name, content, tmp_path):
    apply, message = CHANGES[name]
    apply(content["models"][1])
    path = written(tmp_path, content)
    with pytest.raises(ModelError) as caught:
        load_manifest(path)
    text = str(caught.value)
    entry = f"{content['models'][1]['name']}@{content['models'][1]['version']}"
    assert text.startswith(f"{path}: entry 2 ({entry}): {message}")
    assert "Expected: " in text
    assert "data.models" not in text


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (None, "cannot be read"),
        (b"PK\x03\x04\xff\xfe", "or a ZIP archive"),
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b'{"schema": 1}', '"models" is missing'),
        (b'{"schema": 1, "models": []}', '"models" must contain at least 1'),
        (b'{"schema": 2, "models": [{}]}', '"schema" must be same as const'),
        (b'{"schema": 1, "models": [3]}', r"entry 1 \(no name@no version\): it must be object"),
        (b'{"schema": 1, "models": [{}]}', r"entry 1 \(no name@no version\): .*\"title\""),
    ],
)
def test_what_is_no_manifest_is_refused(held, message, tmp_path):
    path = tmp_path / "models.json"
    if held is not None:
        path.write_bytes(held)
    with pytest.raises(ModelError, match=message) as caught:
        load_manifest(path)
    assert str(caught.value).startswith(str(path))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    """Yield the path of `value` and of everything inside it."""
    yield path
    inside = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for key, item in inside:
        yield from places(item, (*path, key))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=JSON_VALUES)
def test_a_wrong_value_anywhere_is_a_model_error_and_nothing_else(own, tmp_path, data, value):
    place = data.draw(st.sampled_from(sorted(places(own), key=repr)))
    changed = copy.deepcopy(own)
    if place:
        put(value, *place)(changed)
    path = written(tmp_path, changed if place else value)
    try:
        (entry,) = load_manifest(path).entries
    except ModelError as error:
        assert str(error).startswith(str(path))  # noqa: PT017, a valid value raises nothing
    else:
        assert entry.details == changed["models"][0]


def test_a_version_listed_twice_is_refused_also_in_other_case(content, tmp_path):
    content["models"].append(copy.deepcopy(content["models"][1]))
    for version in ("r20250318", "R20250318"):
        content["models"][-1]["version"] = version
        with pytest.raises(ModelError, match=f"lists rootlets@{version} twice"):
            load_manifest(written(tmp_path, content))


def test_a_manifest_of_the_users_own_adds_entries(own, tmp_path, monkeypatch):
    monkeypatch.delenv(MANIFEST_VARIABLE, raising=False)
    ours = load_manifest()
    assert load_manifests() == ours
    named = written(tmp_path, own)
    own["models"][0].update(version="2.0", name="rootlets")
    asked = written(tmp_path, own, "asked.json")
    monkeypatch.setenv(MANIFEST_VARIABLE, str(named))
    assert load_manifests().entries[:-1] == ours.entries
    manifest = load_manifests(asked)
    assert manifest.find("lab").assets[0].urls == ("https://lab.example/model.zip",)
    assert manifest.find("lab").manifest_file == named
    assert manifest.find("rootlets@2.0").manifest_file == asked
    # The default of a name of ours stays ours.
    assert manifest.find("rootlets").version == "r20250318"
    assert manifest.bundled == ours.bundled


def test_the_same_entry_twice_is_kept_once(content, tmp_path):
    ours = load_manifest()
    assert ours.merged(load_manifest(written(tmp_path, content))) == ours


def test_a_version_with_other_content_is_refused_naming_both_files(content, tmp_path):
    content["models"] = content["models"][1:2]
    content["models"][0]["assets"][0]["sha256"] = "0" * 64
    path = written(tmp_path, content)
    with pytest.raises(ModelError, match=r"rootlets@r20250318") as caught:
        load_manifests(path)
    assert str(path) in str(caught.value)
    assert str(OURS) in str(caught.value)
    content["models"][0]["version"] = "R20250318"
    with pytest.raises(ModelError, match=r"R20250318 in another way"):
        load_manifests(written(tmp_path, content))


def test_only_this_package_bundles_a_model(content, tmp_path):
    content["models"] = content["models"][:1]
    content["models"][0]["version"] = "9.9"
    path = written(tmp_path, content)
    with pytest.raises(ModelError, match=r"models\.json: compact@9\.9 .*this package only"):
        load_manifests(path)


def test_addresses_on_loopback_and_tar_archives_are_accepted(own, tmp_path):
    asset = own["models"][0]["assets"][0]
    asset.update(format="tar.gz", size_bytes=5, unpacked_bytes=9)
    asset["urls"] = [
        *("https://lab.example/m.tar.gz", "http://127.0.0.1:8000/m.tar.gz"),
        *("http://localhost/m.tar.gz", "http://[::1]:8/m.tar.gz"),
    ]
    (entry,) = load_manifest(written(tmp_path, own)).entries
    (read,) = entry.assets
    assert read.urls == tuple(asset["urls"])
    assert (read.format, read.sha256) == ("tar.gz", "0" * 64)
    assert (read.size_bytes, read.unpacked_bytes) == (5, 9)


def test_what_is_not_published_is_null(own, tmp_path):
    model = own["models"][0]
    for key in ("labels", "contrasts", "training_data", "licence", "model_folder"):
        model[key] = None
    del model["sources"], model["assets"][0]["size_bytes"], model["assets"][0]["unpacked_bytes"]
    (entry,) = load_manifest(written(tmp_path, own)).entries
    assert (entry.labels, entry.contrasts, entry.levels) == ({}, (), ())
    assert entry.levels_text == "not published"
    assert entry.assets[0].size_bytes is None


def test_reading_the_manifest_loads_nothing_heavy():
    code = (
        "import sys; from sct_rootlets.manifest import load_manifest; loaded = set(sys.modules);"
        "assert 'fastjsonschema' not in loaded; load_manifest();"
        "print({'torch', 'numpy', 'requests', 'nibabel'} & (loaded | set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
