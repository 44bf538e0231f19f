"""The names and signatures of SCT that we lean on; a failure says which one moved."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from sct_rootlets.sct import task_entries
from sct_rootlets.sct.installation import SctInstallation

pytestmark = pytest.mark.sct

#: Run in SCT's Python; its last line is JSON. What is gone is an "AttributeError: ...".
QUESTIONS = r"""
import argparse, inspect, json, os, sys, tempfile
from pathlib import Path
sys.path[:] = [folder for folder in sys.path if folder]
answers = {}

def ask(name, function):
    try:
        answers[name] = function()
    except Exception as error:
        answers[name] = f"{type(error).__name__}: {error}"

def parameters(function):
    return list(inspect.signature(function).parameters)

def common(entries):
    return sorted(set.intersection(*(set(entry) for entry in entries.values())))

def launched_script():
    from spinalcordtoolbox.compat import launcher
    launcher.subprocess = type("Recorder", (), {"run": staticmethod(
        lambda command, **options: type("Done", (), {"returncode": command}))})
    sys.argv = ["/somewhere/bin/sct_deepseg", "rootlets_levels", "-h"]
    python, script, *words = launcher.main()
    package = Path(launcher.package_init_file).parent
    return [python == sys.executable, Path(script).relative_to(package).as_posix(), words]

def qc_entry():
    from spinalcordtoolbox.reports import qc2
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "data", "sub-1", "anat", "t2.nii.gz")
        with qc2.create_qc_entry(image, Path(folder, "qc"), "sct_x", "sct_x -i t2.nii.gz",
                                 "Axial", None, None) as images:
            names = sorted(images)
            for path in images.values():
                path.write_bytes(b"")
        (entry,) = Path(folder, "qc", "_json").glob("qc_*.json")
        return [names, sorted(json.loads(entry.read_text()))]

def task_parser():
    from spinalcordtoolbox.scripts import sct_deepseg
    (action,) = [a for a in sct_deepseg.get_parser()._actions
                 if isinstance(a, argparse._SubParsersAction)]
    return [action.dest, type(action.choices["rootlets"]).__name__]

from spinalcordtoolbox.deepseg import models
from spinalcordtoolbox.utils import shell
from spinalcordtoolbox.utils import sys as sct_sys
for name in ("TASKS", "MODELS"):
    ask(f"models.{name}", lambda: type(getattr(models, name)).__name__)
for name in ("folder", "find_model_folder_paths", "is_valid", "install_model",
             "list_tasks_string", "display_list_tasks"):
    ask(f"models.{name}", lambda: parameters(getattr(models, name)))
ask("the place of a model", lambda: models.folder("x") == os.path.join(
    sct_sys.__deepseg_dir__, "x"))
ask("the folder of SCT", lambda: os.path.samefile(
    sct_sys.__sct_dir__, Path(models.__file__).parents[2]))
ask("the fields of every task", lambda: common(models.TASKS))
ask("the fields of every model", lambda: common(models.MODELS))
ask("the frameworks", lambda: sorted({entry["framework"] for entry in models.MODELS.values()}))
ask("SCTArgumentParser", lambda: issubclass(shell.SCTArgumentParser, argparse.ArgumentParser))
ask("SCTArgumentParser.parse_args", lambda: parameters(shell.SCTArgumentParser.parse_args))
ask("the parser of sct_deepseg", task_parser)
ask("sct_deepseg.main", lambda: parameters(
    __import__("spinalcordtoolbox.scripts.sct_deepseg", fromlist=["main"]).main))
ask("the launcher", launched_script)
ask("qc2.create_qc_entry", lambda: parameters(
    __import__("spinalcordtoolbox.reports.qc2", fromlist=["qc2"]).create_qc_entry))
ask("an entry of the QC report", qc_entry)
print()
print(json.dumps(answers))
"""

#: Of an entry of the report, in the order of the alphabet.
QC_FIELDS = [
    *("backgroundImage", "cmdline", "command", "contrast", "dataset", "date", "inputFile"),
    *("overlayImage", "path", "plane", "qc", "rank", "sctVersion", "subject"),
]

EXPECTED: dict[str, Any] = {
    "models.TASKS": "dict",
    "models.MODELS": "dict",
    "models.folder": ["name_model"],
    "models.find_model_folder_paths": ["path_model"],
    "models.is_valid": ["path_models"],
    "models.install_model": ["name_model", "custom_url"],
    "models.list_tasks_string": [],
    "models.display_list_tasks": [],
    "the place of a model": True,
    "the folder of SCT": True,
    "SCTArgumentParser": True,
    "SCTArgumentParser.parse_args": ["self", "args", "namespace"],
    "the parser of sct_deepseg": ["task", "SCTArgumentParser"],
    "sct_deepseg.main": ["argv"],
    "the launcher": [True, "scripts/sct_deepseg.py", ["rootlets_levels", "-h"]],
    "qc2.create_qc_entry": [
        *("path_input", "path_qc", "command", "cmdline", "plane", "dataset", "subject"),
        "image_extension",
    ],
    "an entry of the QC report": [["path_background_img", "path_overlay_img"], QC_FIELDS],
}


@pytest.fixture(scope="module")
def answers(real_sct: SctInstallation) -> dict[str, Any]:
    done = subprocess.run(
        [real_sct.python, "-c", QUESTIONS], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"SCT {real_sct.version}: {done.stderr}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_it_is_where_we_expect_it(
    name: str, answers: dict[str, Any], real_sct: SctInstallation
) -> None:
    assert answers[name] == EXPECTED[name], (
        f"SCT {real_sct.version} has moved {name!r}: it is {answers[name]!r}, and we lean on "
        f"{EXPECTED[name]!r}"
    )


def test_our_entries_have_every_field_that_all_of_sct_s_have(
    answers: dict[str, Any], real_sct: SctInstallation
) -> None:
    model = task_entries.default_model()
    ours = {
        "the fields of every task": task_entries._task_entry(model),
        "the fields of every model": task_entries._model_entry(model),
    }
    for name, entry in ours.items():
        lacking = set(answers[name]) - set(entry)
        assert not lacking, f"SCT {real_sct.version} has moved {name!r}: ours lack {lacking}"
    used = ours["the fields of every model"]["framework"]
    assert used in answers["the frameworks"], (
        f"SCT {real_sct.version} has moved 'framework': {answers['the frameworks']}"
    )
