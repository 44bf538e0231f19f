"""Where a test is: the tests of a module are in a file of its name, in a folder of its room's."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Files about a way through several modules, or about what lies outside the package.
FLOWS = {
    "benchmarks/test_parts.py": "small parts of several benchmarks",
    "cli/test_edited_levels.py": "an image of levels that was corrected, in every command",
    "cli/test_headers.py": "every command on headers that contradict themselves",
    "cli/test_manual_rootlets.py": "rootlets of somebody, as `run` uses them",
    "cli/test_map_analysis.py": "the half of `map` that looks at a series",
    "cli/test_models_damaged.py": "every command on models that are not whole",
    "cli/test_owned_outputs.py": "every command where files are somebody's",
    "cli/test_wrong_inputs.py": "every command on wrong inputs",
    "cli/test_wrong_tables.py": "every command that reads a table, on wrong ones",
    "engines/test_gpu.py": "all engines on a device that few machines have",
    "fmri/test_nilearn.py": "what nilearn reads of our files",
    "fmri/test_phantom.py": "levels on an EPI against phantoms",
    "fmri/test_real_run.py": "a real run from end to end",
    "fmri/transforms/test_against_sct.py": "transforms as SCT applies them",
    "levels/test_real.py": "levels of real rootlets",
    "report/test_browser.py": "the page in a browser",
    "sct/test_contract.py": "what we lean on in a real SCT",
    "sct/test_documented_rules.py": "rules of the documentation",
    "sct/test_process_data.py": "the script for sct_run_batch",
    "sct/test_real_sct.py": "the hook in a real SCT",
    "sct/test_run.py": "run with a stand-in for SCT",
    "sct/test_tools.py": "our files in SCT's own tools",
    "sct/test_upstream.py": "what is proposed to SCT",
    "store/test_install_kill.py": "installs that are killed",
    "test_architecture.py": "the page about the rooms",
    "test_command_reference.py": "the page about the commands",
    "test_first_light.py": "from an image to levels, with the bundled model",
    "test_mirror.py": "this file",
    "variability/test_real.py": "a study of real tables",
}


def _tested(file: str) -> bool:
    """Say whether the module or the room that a file of tests is named after exists."""
    path = Path(file)
    module = path.with_name(path.name.removeprefix("test_"))
    places = (ROOT / "sct_rootlets" / module, ROOT / module)  # benchmarks and training, too
    return any(place.exists() or place.with_suffix("").is_dir() for place in places)


def test_every_file_of_tests_is_named_after_what_it_tests() -> None:
    tests = ROOT / "tests"
    files = {path.relative_to(tests).as_posix() for path in tests.rglob("test_*.py")}
    assert {file for file in files if not _tested(file)} == set(FLOWS)
