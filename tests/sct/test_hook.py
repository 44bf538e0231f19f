"""The hook in a stand-in SCT: what it adds, and each way in which it can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sct_rootlets.sct.enabling import hook_line
from tests.sct.stand_in import HEAVY, StandIn, copy_of_sct, install_model, make_stand_in


@pytest.fixture
def sct(tmp_path: Path) -> StandIn:
    """Return a stand-in SCT in which the hook is enabled."""
    made = make_stand_in(tmp_path)
    made.hook_file.write_text(hook_line())
    return made


def assert_unchanged(sct: StandIn, *parts: str) -> None:
    """Check that SCT works as without us, and says in one line why our task is missing."""
    help_text = sct.run("sct_deepseg", "-h")
    segmented = sct.run("sct_deepseg", "rootlets", "-i", "a.nii.gz")
    assert "rootlets: Rootlets of SCT: not installed" in help_text.stdout
    assert segmented.stdout == "SCT segments ['a.nii.gz'] with rootlets\n"
    for done in (help_text, segmented):
        assert "sct_rootlets " not in done.stdout
        if parts:
            (line,) = done.stderr.splitlines()
            assert line.startswith("sct_rootlets: warning: ")
            assert "sct_deepseg goes on without the task rootlets_levels" in line
            assert all(part in line for part in parts), line
        else:
            assert done.stderr == ""


def test_the_task_is_listed_with_its_model_and_sct_s_own_stays(sct: StandIn) -> None:
    for words in (["-h"], ["-task-details"]):
        done = sct.run("sct_deepseg", *words)
        assert done.stderr == ""
        assert "rootlets: Rootlets of SCT: not installed" in done.stdout
        (ours,) = [s for s in done.stdout.splitlines() if s.startswith("rootlets_levels")]
        assert "rootlets@r20250318" in ours
        assert "sct_rootlets" in ours
        assert ours.endswith("not installed")
    own = sct.run("sct_deepseg", "rootlets", "-i", "a.nii.gz")
    assert own.stdout == "SCT segments ['a.nii.gz'] with rootlets\n"
    assert not sct.record.exists()


@pytest.mark.parametrize("whose", ["ours", "SCT's"])
def test_a_model_that_is_there_shows_as_installed(sct: StandIn, whose: str) -> None:
    if whose == "ours":
        install_model(Path(sct.variables["SCT_ROOTLETS_HOME"]), "rootlets", "r20250318")
    else:
        copy_of_sct(sct.folder)
    (line,) = [s for s in sct.run("sct_deepseg", "-h").stdout.splitlines() if "r20250318" in s]
    assert line.endswith(": installed")


@pytest.mark.parametrize("status", [0, 1, 2])
def test_our_command_gets_the_words_as_they_were_typed(sct: StandIn, status: int) -> None:
    words = ["-i", "a b.nii.gz", "-o", "", "-anything", "*", "-h"]
    sct.variables["STATUS"] = str(status)
    done = sct.run("sct_deepseg", "rootlets_levels", *words, status=status)
    assert (done.stdout, done.stderr) == ("", "")
    called = sct.recorded()
    assert called["words"] == ["deepseg", "rootlets_levels", *words]
    assert called["environment"]["SCT_ROOTLETS_CALLED_AS"] == "sct_deepseg"
    assert called["environment"]["SCT_DIR"] == str(sct.folder)
    assert Path(called["executable"]) == sct.environment.python
    assert "" not in called["path"], "files of the user's folder would hide Python's own"


def test_our_command_gets_the_words_also_where_sct_parsed_them(sct: StandIn) -> None:
    sct.replace(
        "scripts/sct_deepseg.py",
        '"-task-details",',
        '"-v", type=int)\n    parser.add_argument("-task-details",',
    )
    sct.run("sct_deepseg", "-v", "2", "rootlets_levels", "-install")
    assert sct.recorded()["words"] == ["deepseg", "rootlets_levels", "-install"]


def test_a_module_in_the_folder_of_the_user_is_not_ours(sct: StandIn, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('a file of the user was imported')")
    (tmp_path / "sct_rootlets").mkdir()
    (tmp_path / "sct_rootlets" / "__init__.py").write_text("raise SystemExit('so was this')")
    launcher = sct.environment.folder / "bin" / "sct_deepseg"
    command = [launcher, "rootlets_levels", "-i", "a.nii.gz"]
    subprocess.run(command, cwd=tmp_path, env=sct.variables, check=True, timeout=60)
    assert sct.recorded()["words"] == ["deepseg", "rootlets_levels", "-i", "a.nii.gz"]


@pytest.mark.parametrize(
    ("number", "send", "said", "status"),
    [
        # as a terminal does it: our command may clean up
        (signal.SIGINT, os.killpg, "cleaned up\n", 130),
        (signal.SIGTERM, os.kill, "", 128 + signal.SIGTERM),  # at once, and not after the 60 s
    ],
)
def test_a_signal_reaches_our_command(
    sct: StandIn, number: int, send: Callable[[int, int], None], said: str, status: int
) -> None:
    script = sct.folder / "spinalcordtoolbox" / "scripts" / "sct_deepseg.py"
    process = subprocess.Popen(
        [sct.environment.python, script, "rootlets_levels", "-i", "a.nii.gz"],
        env={**sct.variables, "WAIT": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    send(process.pid, number)
    assert process.stdout.read() == said
    assert process.wait(timeout=30) == status


def test_main_returns_to_a_program_that_calls_it(sct: StandIn) -> None:
    code = """
        from spinalcordtoolbox.scripts import sct_deepseg
        assert sct_deepseg.main(["rootlets_levels", "-i", "a.nii.gz"]) is None
        print("went on")
        sct_deepseg.main(["rootlets", "-i", "a.nii.gz"])
        assert sct_deepseg.rootlets_levels().prog.endswith("rootlets_levels")
        import os
        os.environ["STATUS"] = "2"
        sct_deepseg.main(["rootlets_levels"])
    """
    done = sct.python(code, status=2)
    assert done.stdout == "went on\nSCT segments ['a.nii.gz'] with rootlets\n"


def test_sct_cannot_install_our_model_over_our_store(sct: StandIn) -> None:
    code = """
        from spinalcordtoolbox.deepseg import models
        for name in models.MODELS:
            models.install_model(name)
    """
    assert sct.python(code).stdout == "SCT installs model_seg_spinal_rootlets_nnunet\n"
    assert sct.recorded()["words"] == ["models", "install", "rootlets@r20250318"]


def test_an_unrelated_command_loads_nothing_of_ours_but_the_hook(sct: StandIn) -> None:
    with_hook = set(sct.run("sct_maths").stdout.split())
    sct.hook_file.unlink()
    without = set(sct.run("sct_maths").stdout.split())
    ours = {"sct_rootlets", "sct_rootlets.sct", "sct_rootlets.sct.hook"}
    assert with_hook - without == ours
    assert not with_hook & set(HEAVY)


def test_the_list_of_tasks_needs_nothing_heavy(sct: StandIn) -> None:
    code = f"""
        import sys
        from spinalcordtoolbox.deepseg import models
        assert "rootlets_levels" in models.list_tasks_string()
        print(*set({HEAVY[:-1]}) & set(sys.modules))
    """
    assert sct.python(code).stdout == "\n"


def test_modules_of_sct_are_what_they_were(sct: StandIn) -> None:
    code = """
        import importlib, importlib.util, inspect, pickle, copy
        spec = importlib.util.find_spec("spinalcordtoolbox.deepseg.models")
        assert spec.loader.name == spec.name and spec.loader.path == spec.origin
        assert "TASKS" in spec.loader.get_source(spec.name)
        for like in (pickle.loads(pickle.dumps(spec.loader)), copy.copy(spec.loader)):
            assert type(like).__name__ == "SourceFileLoader" and like.path == spec.origin

        from spinalcordtoolbox.deepseg import models
        assert type(models.__spec__.loader).__name__ == "SourceFileLoader"
        assert models.__loader__ is models.__spec__.loader
        assert "TASKS" in inspect.getsource(models)
        assert models.folder.__doc__ == "Return absolute path of deep learning models."
        assert models.folder("x").endswith("deepseg_models/x")
        pickle.dumps(models.is_valid)

        models.TASKS.clear()
        assert importlib.reload(models) is models
        assert list(models.TASKS) == ["rootlets", "rootlets_levels"]

        from spinalcordtoolbox.utils.shell import SCTArgumentParser
        import argparse
        assert SCTArgumentParser.parse_args.__wrapped__ is argparse.ArgumentParser.parse_args
        assert SCTArgumentParser().parse_args([]) == argparse.Namespace()
    """
    assert sct.python(code).stderr == ""


def test_sct_in_a_zip(sct: StandIn, tmp_path: Path) -> None:
    code = f"""
        import shutil, sys
        sys.path.insert(0, shutil.make_archive({str(tmp_path / "zipped")!r}, "zip",
                                               {str(sct.folder)!r}))
        from spinalcordtoolbox.deepseg import models
        from spinalcordtoolbox.utils import shell
        assert "zipped.zip" in models.__file__
        assert "rootlets_levels" in models.TASKS
        for module in (models, shell):
            assert type(module.__spec__.loader).__name__ == "zipimporter"
    """
    assert sct.python(code).stderr == ""


@pytest.mark.parametrize("option", ["-I", "-S", "-s", "-E"])
def test_options_of_python(sct: StandIn, option: str) -> None:
    code = "import sys; print(sum(type(f).__name__ == 'RootletsFinder' for f in sys.meta_path))"
    done = sct.execute([sct.environment.python, option, "-c", code])
    assert (done.stdout, done.stderr) == ("0\n" if option == "-S" else "1\n", "")


def test_the_package_is_removed(sct: StandIn) -> None:
    for path in sct.package.iterdir():
        path.unlink() if path.is_symlink() else None
    (sct.package.parent / "sct_rootlets").rename(sct.package.parent / "gone")
    assert_unchanged(sct)


@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("task_entries", "def (", ["SyntaxError"]),
        ("task_entries", "import no_such_module", ["no_such_module"]),
        ("task_entries", "1 / 0", ["ZeroDivisionError"]),
        ("task_entries", "raise SystemExit(3)", ["SystemExit"]),
        # half a new version
        ("task_entries", "from sct_rootlets.sct.task import something_new", ["ImportError"]),
        # these say that the task is missing
        *(
            (module, text, [])
            for module in ("hook", "task")
            for text in ("def (", "1 / 0", "HOOK_VERSION = 1")
        ),
    ],
)
def test_what_cannot_be_imported(sct: StandIn, module: str, text: str, said: list[str]) -> None:
    sct.own(f"sct/{module}.py", text)
    assert_unchanged(sct, *said)


@pytest.mark.parametrize("name", ["TASKS", "MODELS", "folder", "is_valid", "install_model"])
def test_sct_has_renamed_what_is_needed(sct: StandIn, name: str) -> None:
    with open(sct.folder / "spinalcordtoolbox" / "deepseg" / "models.py", "a") as stream:
        stream.write(f"\nNEW_NAME = {name}\ndel {name}\n")
    # Its own script knows the new name, as it would.
    known = f"from spinalcordtoolbox.deepseg import models\nmodels.{name} = models.NEW_NAME\n"
    sct.replace("scripts/sct_deepseg.py", "models = LazyLoader(", f"{known}LazyLoader(")
    assert_unchanged(sct, name, "spinalcordtoolbox.deepseg.models")


def test_sct_has_another_parser(sct: StandIn) -> None:
    for name in ("utils/shell.py", "scripts/sct_deepseg.py", "scripts/sct_maths.py"):
        sct.replace(name, "SCTArgumentParser", "NewParser")
    assert_unchanged(sct, "SCTArgumentParser")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"rootlets": {', '"rootlets_levels": {'),
        ("model_seg_spinal_rootlets_nnunet", "rootlets@r20250318"),
    ],
)
def test_sct_has_a_task_or_model_of_that_name(sct: StandIn, old: str, new: str) -> None:
    sct.replace("deepseg/models.py", old, new)
    task = "rootlets_levels" if "levels" in new else "rootlets"
    done = sct.run("sct_deepseg", task, "-i", "a.nii.gz")
    assert done.stdout == f"SCT segments ['a.nii.gz'] with {task}\n"
    (line,) = done.stderr.splitlines()
    assert "which stays" in line
    assert not sct.record.exists()


def test_a_fault_half_way_leaves_nothing_of_ours(sct: StandIn) -> None:
    sct.own(
        "sct/handover.py",
        "def hand_over(parser_class, sct_dir):\n    raise RuntimeError('two\\nlines')\n"
        "def return_normally(script):\n    pass\n",
    )
    assert_unchanged(sct, "RuntimeError: two lines")
    code = """
        from spinalcordtoolbox.deepseg import models
        print(list(models.TASKS), list(models.MODELS), models.folder.__module__,
              models.install_model.__module__)
    """
    names = "['rootlets'] ['model_seg_spinal_rootlets_nnunet']"
    module = "spinalcordtoolbox.deepseg.models"
    assert sct.python(code).stdout == f"{names} {module} {module}\n"


def test_the_store_cannot_be_read(sct: StandIn) -> None:
    sct.own("store/installed.py", "def __getattr__(name):\n    raise PermissionError('no entry')\n")
    done = sct.run("sct_deepseg", "-task-details")  # which asks twice
    (line,) = done.stderr.splitlines()
    assert "PermissionError: no entry" in line
    assert "shows rootlets@r20250318 as not installed" in line
    assert sct.run("sct_deepseg", "rootlets", "-i", "a").stdout.startswith("SCT segments")


def test_a_store_that_is_no_folder(sct: StandIn) -> None:
    Path(sct.variables["SCT_ROOTLETS_HOME"]).write_text("")
    done = sct.run("sct_deepseg", "-h")
    assert "rootlets_levels" in done.stdout
    assert done.stderr == ""


def test_the_standard_error_is_closed(sct: StandIn) -> None:
    sct.own("sct/task_entries.py", "1 / 0")
    for code in ("import sys; sys.stderr.close()", "import sys; sys.stderr = None"):
        code += "; import spinalcordtoolbox.deepseg.models as m; print(list(m.TASKS))"
        assert sct.python(code).stdout == "['rootlets']\n"


def test_another_finder_that_fails(sct: StandIn) -> None:
    code = """
        import sys
        class Broken:
            def find_spec(self, name, path=None, target=None):
                if "deepseg.models" in name:
                    raise ImportError("theirs")
        sys.meta_path.insert(1, Broken())
        try:
            import spinalcordtoolbox.deepseg.models
        except ImportError as error:
            print(error)
    """
    assert sct.python(code).stdout == "theirs\n"
